// What is sent to log in, and how often.

const PROTOCOL = 'happn_4';

/// What `options` say for a server that describes itself with `serverInfo`; an error when the
/// server could only refuse it.
function credentialsFor(options, serverInfo) {
  const { username, password, publicKey, authType, token } = options;
  const info = Object.assign({}, options.info, { _browser: IN_BROWSER, _local: false });
  // Members without a value do not travel.
  const credentials = { username, info, protocol: PROTOCOL, authType, password, publicKey, token };
  if (!serverInfo.secure) return credentials;
  if (options.useCookie) {
    if (!IN_BROWSER) throw new Error('Logging in with cookie only valid in browser');
    credentials.token = readCookie(serverInfo.cookieName || TOKEN_COOKIE);
    credentials.useCookie = true;
  }
  checkComplete(credentials);
  return credentials;
}

function checkComplete({ username, password, publicKey, token }) {
  if (token) return;
  if (!username) throw new Error('happn server is secure, please specify a username or token');
  if (password || username === '_ANONYMOUS') return;
  if (!publicKey) throw new Error('happn server is secure, please specify a password');
  throw new Error('this client cannot log in with a key pair (digest), please use a password or a token');
}

/// Tries again when the server could say neither yes nor no.
async function patiently(login, { loginRetry, loginRetryInterval }, isConnected) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await login();
    } catch (error) {
      const refused = error.code === 401 || error.code === 403;
      if (refused || !isConnected() || attempt >= loginRetry) throw error;
      await new Promise((resolve) => setTimeout(resolve, loginRetryInterval));
    }
  }
}
