import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

const curves: Readonly<Record<string, string>> = {
  '256': 'prime256v1',
  '384': 'secp384r1',
  '512': 'secp521r1',
}

/** Whether a signature is one of these bytes by this key; a key of another kind verifies nothing. */
export function verified(
  alg: string,
  key: KeyObject | undefined,
  data: Buffer,
  signature: Buffer,
): boolean {
  const kind = key?.asymmetricKeyType
  if (key === undefined || key.type !== 'public') return false
  if (alg === 'EdDSA') return kind === 'ed25519' && verify(null, data, key, signature)
  const [family, bits = ''] = [alg.slice(0, 2), alg.slice(2)]
  const hash = `sha${bits}`
  if (family === 'RS') return kind === 'rsa' && verify(hash, data, key, signature)
  if (family === 'PS') {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const saltLength = constants.RSA_PSS_SALTLEN_AUTO
    return kind === 'rsa' && verify(hash, data, { key, padding, saltLength }, signature)
  }
  if (family !== 'ES' || key.asymmetricKeyDetails?.namedCurve !== curves[bits]) return false
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** Whether a signature is the HMAC of these bytes with this secret. */
export function authentic(alg: string, secret: string, data: Buffer, signature: Buffer): boolean {
  const bits = /^HS(256|384|512)$/.exec(alg)?.[1]
  if (bits === undefined) return false
  const expected = createHmac(`sha${bits}`, secret).update(data).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}
