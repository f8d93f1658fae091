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

/// The same with logins, in memory or on a MongoDB collection.
export async function startSecureJavascriptServer(mongo) {
  const security = { config: { adminUser: { password: ADMIN_PASSWORD } } };
  const provider = 'happn-db-provider-mongo';
  const datastores = mongo && [{ name: 'mongo', provider, isDefault: true, settings: mongo }];
  const service = await happn.service.create({
    host: '127.0.0.1',
    port: 0,
    secure: true,
    utils: quiet,
    services: { security, ...(mongo && { data: { config: { datastores } } }) },
  });
  return {
    service,
    /// Makes sure of users and groups, given as our provision files have them.
    async provision({ groups = [], users = [] }) {
      const { users: theirs, groups: theirGroups } = service.services.security;
      for (const group of groups) await theirGroups.upsertGroup(group);
      for (const { groups: names = [], ...user } of users) {
        const made = await theirs.upsertUser(user);
        for (const name of names) await theirGroups.linkGroup(await theirGroups.getGroup(name), made);
      }
    },
    port: service.server.address().port,
    stop: () => service.stop({ reconnect: false }),
  };
}
