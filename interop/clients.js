// The real JavaScript client, quiet and on loopback.

import happn from 'happn-3';

export function connect(port, options = {}) {
  return happn.client.create({
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
