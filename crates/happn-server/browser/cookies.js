// The session's token as a cookie, so that the page's HTTP requests carry it too.

const TOKEN_COOKIE = 'happn_token';
const COOKIE_INTERVAL_MIN = 500;
const COOKIE_INTERVAL = 1000;

function readCookie(name) {
  const prefix = `${name}=`;
  const found = document.cookie.split(';').map((part) => part.trim()).find((part) => part.startsWith(prefix));
  return found ? decodeURIComponent(found.slice(prefix.length)) : '';
}

function writeCookie(session, secure, token) {
  let cookie = `${session.cookieName || TOKEN_COOKIE}=${token}; path=/`;
  if (session.cookieDomain) cookie += `; domain=${session.cookieDomain}`;
  if (secure) cookie += '; Secure';
  if (!token) cookie += '; expires=Thu, 01 Jan 1970 00:00:00 UTC';
  document.cookie = cookie;
}

/// One timer per cookie and interval, however many handlers there are.
const cookieWatches = new Map();

/// Calls `handler(event, cookie)` with `cookie-created` or `cookie-deleted`, as other tabs of the
/// page log in and out.
function watchCookie(handler, cookieName, interval) {
  const name = cookieName || TOKEN_COOKIE;
  const asked = parseInt(interval, 10);
  const every = asked >= COOKIE_INTERVAL_MIN ? asked : COOKIE_INTERVAL;
  const key = `${name}_${every}`;
  const watch = cookieWatches.get(key) || { handlers: new Set(), value: readCookie(name), timer: null };
  watch.handlers.add(handler);
  if (!watch.timer) watch.timer = setInterval(() => compareCookie(watch, name), every);
  cookieWatches.set(key, watch);
}

function compareCookie(watch, name) {
  const before = watch.value;
  const now = readCookie(name);
  watch.value = now;
  if (Boolean(before) === Boolean(now)) return;
  const event = now ? 'cookie-created' : 'cookie-deleted';
  watch.handlers.forEach((handler) => guarded(() => handler(event, now || before)));
}

function forgetCookieWatches() {
  cookieWatches.forEach((watch) => clearInterval(watch.timer));
  cookieWatches.clear();
}
