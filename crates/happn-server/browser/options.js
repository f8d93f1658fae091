// What can be told to a client, and what applies when nothing is said.

const OPTION_DEFAULTS = {
  port: 55000,
  callTimeout: 60000,
  loginRetry: 4,
  loginRetryInterval: 5000,
  reconnectWait: 1000,
  retryOnSocketErrorMaxInterval: 120000,
  defaultVariableDepth: 5,
  logLevel: 'off',
};

const IN_BROWSER = typeof window !== 'undefined' && typeof document !== 'undefined';

function prepareOptions(given) {
  // Some pages wrap everything in `config`.
  const stated = Object.assign({}, given, given && given.config);
  delete stated.config;
  const options = Object.assign({}, stated);
  Object.keys(OPTION_DEFAULTS).forEach((name) => {
    if (options[name] === undefined || options[name] === null) options[name] = OPTION_DEFAULTS[name];
  });
  if (!options.loginTimeout) options.loginTimeout = options.callTimeout;
  if (!options.host || options.host === 'localhost') options.host = '127.0.0.1';
  if (!options.url) options.url = urlOf(options);
  if (options.keyPair) {
    options.publicKey = options.keyPair.publicKey;
    options.privateKey = options.keyPair.privateKey;
  }
  options.info = infoOf(options.info);
  options.socket = socketOptions(stated);
  return options;
}

/// What the server shows of this client: always an object.
function infoOf(info) {
  if (info === undefined || info === null) return {};
  return typeof info === 'object' ? Object.assign({}, info) : { data: info };
}

function urlOf({ protocol, host, port }) {
  const scheme = protocol || 'http';
  const usual = Number(port) === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${host}${usual ? '' : `:${port}`}`;
}

function socketOptions(stated) {
  const socket = Object.assign({}, stated.socket);
  const reconnect = stated.reconnect || socket.reconnect;
  socket.reconnect = typeof reconnect === 'object' ? reconnect : {};
  if (stated.connectTimeout) socket.timeout = stated.connectTimeout;
  // The client says when to connect.
  socket.manual = true;
  return socket;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/// The caller's logger, or the console from `logLevel` on.
function loggerOf(options) {
  if (options.Logger && options.Logger.createLogger) return options.Logger.createLogger('HappnClient');
  const lowest = LOG_LEVELS.indexOf(options.logLevel);
  const logger = {};
  LOG_LEVELS.forEach((level, at) => {
    const silent = lowest < 0 || at < lowest;
    logger[level] = silent ? () => {} : (...values) => console[level]('HappnClient', ...values);
  });
  logger.fatal = logger.error;
  logger.$$TRACE = logger.trace;
  logger.$$DEBUG = logger.debug;
  return logger;
}
