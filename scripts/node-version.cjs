// Ends with one line on a Node.js that cannot run this project. Plain JavaScript that any old one reads, and loaded by the
// scripts of package.json themselves: npm leaves out their "pre" scripts where `ignore-scripts` is set, and that is where the
// development copy of Node.js is missing.
const { engines } = require('../package.json');

const [needed] = /\d+/.exec(engines.node);
if (Number.parseInt(process.versions.node, 10) < needed) {
  process.stderr.write(
    `Node.js ${needed} or later is needed, and ${process.execPath} is ${process.versions.node}: ` +
      'install a newer one, or a copy for this folder alone with "npm ci && npm rebuild node --ignore-scripts=false"\n',
  );
  // EX_CONFIG, as for any other environment in which the gateway cannot start.
  process.exit(78);
}
