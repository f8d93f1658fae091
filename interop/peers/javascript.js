// The real happn-3 server, in this process.

import happn from 'happn-3';

const quiet = { logLevel: 'error' };

export async function startJavascriptServer(port = 0) {
  let service = await happn.service.create({ host: '127.0.0.1', port, utils: quiet });
  const bound = service.server.address().port;
  return {
    port: bound,
    async restart() {
      await service.stop({ reconnect: true });
      service = await happn.service.create({ host: '127.0.0.1', port: bound, utils: quiet });
    },
    stop: () => service.stop({ reconnect: false }),
  };
}

/// A server on a MongoDB collection, with the provider that JavaScript clusters use.
export async function startJavascriptServerOnMongo(settings) {
  const provider = 'happn-db-provider-mongo';
  const datastores = [{ name: 'mongo', provider, isDefault: true, settings }];
  const service = await happn.service.create({
    host: '127.0.0.1',
    port: 0,
    utils: quiet,
    services: { data: { config: { datastores } } },
  });
  return {
    port: service.server.address().port,
    stop: () => service.stop({ reconnect: false }),
  };
}

export const ADMIN_PASSWORD = 'of the administrator';

/// The same with logins. `service` is the way to its users and groups.
export async function startSecureJavascriptServer() {
  const security = { config: { adminUser: { password: ADMIN_PASSWORD } } };
  const service = await happn.service.create({
    host: '127.0.0.1',
    port: 0,
    secure: true,
    utils: quiet,
    services: { security },
  });
  return {
    service,
    port: service.server.address().port,
    stop: () => service.stop({ reconnect: false }),
  };
}
