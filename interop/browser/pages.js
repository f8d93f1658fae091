// A web server for pages that use a happn server elsewhere, as most do.

import http from 'node:http';
import { once } from 'node:events';

/// Serves one page per set of scripts: `urlWith(scripts)` is a page that loads them in order.
export async function startPages() {
  const server = http.createServer((request, response) => {
    const scripts = new URL(request.url, 'http://pages').searchParams.getAll('script');
    const tags = scripts.map((script) => `<script src="${script}"></script>`).join('\n');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!DOCTYPE html>\n<title>happn</title>\n${tags}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    urlWith: (scripts) => `http://127.0.0.1:${port}/?${new URLSearchParams(scripts.map((script) => ['script', script]))}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
