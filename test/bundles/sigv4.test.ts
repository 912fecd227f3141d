import { expect, test } from 'vitest'
import { type Signable, signedHeaders, signingKey } from '../../bundles/sigv4.ts'

const suite = {
  method: 'GET',
  region: 'us-east-1',
  service: 'service',
  accessKey: 'AKIDEXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  nowMs: Date.UTC(2015, 7, 30, 12, 36, 0),
}
const s3 = {
  method: 'GET',
  region: 'us-east-1',
  service: 's3',
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  nowMs: Date.UTC(2013, 4, 24),
}
const at = (path: string): URL => new URL(`https://example.amazonaws.com${path}`)

/** Published: AWS Signature Version 4 test suite, and "Examples: Signature Calculations" of the S3 API reference. */
test.each<[string, Signable, string]>([
  [
    'get-vanilla',
    { ...suite, url: at('/') },
    '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  ],
  [
    'get-vanilla-query-order-key-case',
    { ...suite, url: at('/?Param2=value2&Param1=value1') },
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'get-vanilla-empty-query-key',
    { ...suite, url: at('/?Param1=value1') },
    'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  ],
  [
    'GET Object of S3, with a range',
    {
      ...s3,
      url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      headers: { range: 'bytes=0-9' },
    },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'GET Bucket Lifecycle of S3',
    { ...s3, url: new URL('https://examplebucket.s3.amazonaws.com/?lifecycle') },
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'List Objects of S3',
    { ...s3, url: new URL('https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J') },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('%s has the published signature', (_name, signable, signature) => {
  expect(signedHeaders(signable)['authorization']).toContain(`Signature=${signature}`)
})

test('the key of a day is the published one', () => {
  const key = signingKey(suite.secretKey, '20150830/us-east-1/iam/aws4_request')
  expect(key.toString('hex')).toBe(
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
  )
})
