// The clients under test, quiet and on loopback. `HAPPN_CLIENT=browser` takes the client that our
// node serves to browsers; the tests are the same.

import happn from 'happn-3';

import { browserClient } from './browser/script.js';

export const kind = process.env.HAPPN_CLIENT ?? 'npm';

export async function connect(port, options = {}) {
  const client = kind === 'browser' ? await browserClient() : happn.client;
  return client.create({
    host: '127.0.0.1',
    port,
    logger: { createLogger: () => silent },
    callTimeout: 15_000,
    ...options,
  });
}

const silent = Object.fromEntries(
  ['$$TRACE', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => {}])
);
