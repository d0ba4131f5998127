/** A proxy that stops before and after each HTTP request and can answer in the server's place. */
import { once } from 'node:events';
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Gate, type Channel, type FaultProxy, type Verdict } from './gate.ts';

/** What a kind of requests looks like. */
export interface HttpChannel {
  readonly channel: Channel;
  readonly target: string;
  /** The point's label, or `null` where no fault is to strike. */
  label(method: string, url: string): string | null;
  /** The body of an error with the given code. */
  errorBody(code: string): string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Starts the proxy on a free port. Headers are handed on as they are, `Host` among them, since S3 signs it. */
export async function startHttpProxy(kind: HttpChannel): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const proxy = { gate: new Gate() };
  const server = createServer((request, response) => {
    void serve(request, response, kind, agent, proxy.gate).catch(() => {
      request.socket.destroy();
    });
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    close: async (): Promise<void> => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  kind: HttpChannel,
  agent: Agent,
  gate: Gate,
): Promise<void> {
  const { method = '', url = '' } = request;
  const body = await buffer(request);
  const label = kind.label(method, url);
  const point = label === null ? null : gate.enter(kind.channel, label);
  if (point !== null) {
    const verdict = await gate.ask(point, 'before');
    if (verdict.kind !== 'pass') {
      replace(verdict, request, response, kind);
      return;
    }
  }
  const answer = await forward(request, body, kind.target, agent);
  const verdict: Verdict = point === null ? { kind: 'pass' } : await gate.ask(point, 'after');
  if (verdict.kind === 'truncate' || verdict.kind === 'shorten') {
    halve(answer, verdict.kind === 'shorten', request, response);
  } else if (verdict.kind !== 'pass') {
    replace(verdict, request, response, kind);
  } else {
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}

function replace(
  verdict: Verdict,
  request: IncomingMessage,
  response: ServerResponse,
  { errorBody }: HttpChannel,
): void {
  if (verdict.kind === 'silence') return;
  if (verdict.kind !== 'answer') {
    request.socket.destroy();
    return;
  }
  const body = Buffer.from(request.method === 'HEAD' ? '' : errorBody(verdict.code));
  response
    .writeHead(verdict.status, { 'content-type': 'application/xml', 'content-length': body.length })
    .end(body);
}

function halve(
  { status, headers, body }: Answer,
  asIfWhole: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const half = body.subarray(0, Math.floor(body.length / 2));
  const { etag: _, ...rest } = headers;
  response.writeHead(status, { ...rest, 'content-length': asIfWhole ? half.length : body.length });
  if (asIfWhole) response.end(half);
  else response.write(half, () => request.socket.destroy());
}

async function forward(
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  target: string,
  agent: Agent,
): Promise<Answer> {
  const { 'transfer-encoding': _, ...kept } = headers;
  const onward = send(`${target}${url ?? ''}`, {
    ...(method !== undefined && { method }),
    headers: { ...kept, 'content-length': body.length },
    agent,
  });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const received = await buffer(answer);
  const { 'transfer-encoding': __, ...answerHeaders } = answer.headers;
  // A HEAD says how long the body would be.
  if (method !== 'HEAD') answerHeaders['content-length'] = String(received.length);
  return { status: answer.statusCode ?? 502, headers: answerHeaders, body: received };
}
