/**
 * The sidecar of the aws_s3 stand-in: a resident process that moves bytes between PostgreSQL's COPY … PROGRAM
 * 'curl …' and S3, so that no call pays for the start of a runtime and no byte touches a disk.
 *
 *   PUT  /export/<id>/<parameters>   receives a COPY; the uploads stay open
 *   POST /export/<id>/commit         completes them
 *   POST /export/<id>/abort          throws them away, and says why the PUT failed if it did
 *   GET  /import/<id>/<parameters>   sends an object to a COPY
 *   POST /import/<id>/finish         says how large it was, or why the GET failed
 *   POST /sweep                      throws away what an earlier sidecar left open
 *
 * <id> is a UUID that the extension makes for each call; <parameters> are JSON in hex, which no shell can
 * misread. The POSTs answer 200 with `{error}` or the result: curl could not hand over another status's reason.
 */
import {
  AbortMultipartUploadCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Export } from './export.ts';
import type { ExportTarget } from './export.ts';
import { openImport } from './import.ts';
import type { ImportSource } from './import.ts';
import { checkRegion, describeFailure, makeClient } from './s3.ts';
import type { Failure, S3Config } from './s3.ts';

export interface SidecarConfig {
  readonly port: number;
  readonly s3: S3Config;
}

interface Call {
  upload?: Export;
  bytes?: number;
  error?: Failure;
}

/** A backend that died between the two phases never asks again; its uploads are thrown away after this. */
const FORGET_AFTER_MS = 60_000;

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as SidecarConfig;
const client = makeClient(config.s3);
const calls = new Map<string, Call>();

function decode(hex: string): unknown {
  return JSON.parse(Buffer.from(hex, 'hex').toString('utf8'));
}

function remember(id: string): Call {
  const call: Call = {};
  calls.set(id, call);
  return call;
}

function forgetLater(id: string, call: Call): void {
  setTimeout(() => {
    if (calls.delete(id)) void call.upload?.abort();
  }, FORGET_AFTER_MS).unref();
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function receiveExport(
  id: string,
  parameters: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const call = remember(id);
  try {
    const target = decode(parameters) as ExportTarget;
    checkRegion(target.region, config.s3);
    call.upload = new Export(client, target);
    await call.upload.receive(request);
    reply(response, 200, {});
  } catch (error) {
    if (!request.complete && request.destroyed) {
      // PostgreSQL cancels a statement's programs with it: curl went away, and COPY has its own error to report.
      await call.upload?.abort();
      return;
    }
    call.error = describeFailure(error);
    reply(response, 502, {});
    // Ends the COPY now, rather than taking in the rest of a large table for nothing.
    response.once('finish', () => request.destroy());
  } finally {
    forgetLater(id, call);
  }
}

async function finishExport(id: string, verb: string, response: ServerResponse): Promise<void> {
  const call = calls.get(id);
  calls.delete(id);
  if (verb === 'commit' && call?.upload !== undefined && call.error === undefined) {
    try {
      reply(response, 200, await call.upload.complete());
      return;
    } catch (error) {
      call.error = describeFailure(error);
    }
  }
  await call?.upload?.abort();
  reply(response, 200, call?.error === undefined ? {} : { error: call.error });
}

async function sendImport(id: string, parameters: string, response: ServerResponse): Promise<void> {
  const call = remember(id);
  try {
    const source = decode(parameters) as ImportSource;
    checkRegion(source.region, config.s3);
    const { accessKey, secretKey, sessionToken } = source;
    const own = accessKey !== null && secretKey !== null;
    const reader = own
      ? makeClient({
          ...config.s3,
          accessKeyId: accessKey,
          secretAccessKey: secretKey,
          ...(sessionToken === null ? {} : { sessionToken }),
        })
      : client;
    const { stream, bytes } = await openImport(reader, source);
    call.bytes = bytes;
    response.writeHead(200);
    await pipeline(stream, response);
  } catch (error) {
    call.error = describeFailure(error);
    // Once the status is out, only a broken connection tells curl, and so COPY, that bytes are missing.
    if (response.headersSent) response.destroy();
    else reply(response, 502, {});
  } finally {
    forgetLater(id, call);
  }
}

function finishImport(id: string, response: ServerResponse): void {
  const call = calls.get(id);
  calls.delete(id);
  reply(response, 200, call?.error === undefined ? { bytes: call?.bytes ?? 0 } : { error: call.error });
}

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [kind, id = '', last = ''] = (request.url ?? '').slice(1).split('/');
  switch (`${request.method ?? ''} ${kind ?? ''}`) {
    case 'PUT export':
      return receiveExport(id, last, request, response);
    case 'POST export':
      return finishExport(id, last, response);
    case 'GET import':
      return sendImport(id, last, response);
    case 'POST import':
      finishImport(id, response);
      return;
    case 'POST sweep':
      return sweep(response);
    case 'GET ':
      reply(response, 200, {});
      return;
    default:
      reply(response, 404, {});
  }
}

/** Uploads that were open when an earlier sidecar was killed belong to nobody any more. */
async function sweep(response: ServerResponse): Promise<void> {
  try {
    await abortAllUploads();
    reply(response, 200, {});
  } catch (error) {
    reply(response, 502, describeFailure(error));
  }
}

async function abortAllUploads(): Promise<void> {
  const { Buckets: buckets = [] } = await client.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of buckets) {
    const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of uploads) {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }
  }
}

const server = createServer((request, response) => {
  void route(request, response);
});
// An export takes as long as its query does.
server.requestTimeout = 0;
server.listen(config.port, '127.0.0.1');
