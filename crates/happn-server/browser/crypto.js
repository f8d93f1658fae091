// Stands in for the crypto bundle, which this server does not have: a page that loads it goes on,
// and learns on first use what it cannot do.

window.Crypto = function HappnCrypto() {
  return new Proxy(this, {
    get(target, name) {
      // Somebody may await the object itself.
      if (typeof name === 'symbol' || name === 'then' || name in target) return target[name];
      return () => {
        throw new Error(`browser_crypto.js of this server cannot ${name}: log in with a password or a token`);
      };
    },
  });
};
