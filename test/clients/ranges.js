// What npm's own library says of ranges: reads {pairs: [[range, version], ...],
// ranges: [...], versions: [...]} and writes for each pair whether the version is in the
// range, and for each range the highest of the versions in it; null for no range.
const semver = require(process.argv[2] + '/node_modules/semver')
const { pairs, ranges, versions } = JSON.parse(require('fs').readFileSync(0, 'utf8'))

const valid = (range) => semver.validRange(range) !== null
process.stdout.write(JSON.stringify({
  pairs: pairs.map(([range, version]) =>
    valid(range) ? (semver.satisfies(version, range) ? 'in' : 'out') : 'malformed'),
  highest: ranges.map((range) =>
    valid(range) ? (semver.maxSatisfying(versions, range) || 'none') : 'malformed'),
}))
