import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an operation of a stub returns: a body, or a refusal. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A stub of an AWS service that speaks the JSON protocol, on loopback. */
export interface JsonService {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Serves `answer` at a free port. The server does not keep the process alive. */
export async function serveJson(
  answer: (request: IncomingMessage) => Promise<JsonAnswer>,
): Promise<JsonService> {
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
