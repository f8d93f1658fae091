// A JavaScript happn-3 server for the Rust client's tests. Prints `listening <port>` when it
// serves, `restarted` after a line `restart` on its input, and stops when its input ends.

import readline from 'node:readline';

import { startJavascriptServer } from './peers/javascript.js';

const server = await startJavascriptServer();
console.log(`listening ${server.port}`);

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === 'restart') {
    await server.restart();
    console.log('restarted');
  }
}
await server.stop();
process.exit(0);
