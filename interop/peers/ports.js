// Free ports. A cluster node has to announce its port before it binds it, so it cannot use 0.

import net from 'node:net';

/// `count` different ports that were free a moment ago.
export async function freePorts(count) {
  const listeners = await Promise.all(Array.from({ length: count }, listen));
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => new Promise((done) => listener.close(done))));
  return ports;
}

function listen() {
  return new Promise((resolve, reject) => {
    const listener = net.createServer();
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', () => resolve(listener));
  });
}
