// Says in words what is wrong when the pinned Node did not arrive; plain CommonJS so that any Node can run it.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `postern needs Node 24.12 or newer and found ${process.versions.node}.\n` +
      'The lockfile brings it for Linux (x64, arm64) and macOS (arm64) as an optional package;\n' +
      'on another platform install Node 24 and run make again.\n',
  )
  process.exit(1)
}
