/**
 * The process that one Lambda function runs in: what the sandbox is on AWS. It loads the function's bundle at the
 * first invocation, as Lambda does, and handles one invocation at a time.
 */
import { existsSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InvocationRequest, InvocationResponse } from './lambda-messages.ts';

const require = createRequire(import.meta.url);

type Handler = (event: unknown, context: object) => Promise<unknown>;

let loaded: Promise<Handler> | undefined;

process.on('message', (request: InvocationRequest) => {
  const first = loaded === undefined;
  void invoke(request).then((response) => {
    // Written now where NODE_COMPILE_CACHE is set, as this process ends by a signal, where Node.js writes nothing.
    process.send?.(response, () => {
      if (first) flushCompileCache();
    });
  });
});
// The process that started this one is gone, however it ended.
process.on('disconnect', () => process.exit());

async function invoke(request: InvocationRequest): Promise<InvocationResponse> {
  try {
    loaded ??= load(request.directory, request.handler);
    const handler = await loaded;
    const deadline = Date.now() + request.timeoutSeconds * 1000;
    const result = await handler(request.event, {
      awsRequestId: request.requestId,
      functionName: request.functionName,
      invokedFunctionArn: request.functionArn,
      memoryLimitInMB: String(request.memoryMiB),
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    });
    // By way of JSON, as on AWS: what it cannot hold does not arrive.
    return { requestId: request.requestId, ok: true, result: JSON.stringify(result ?? null) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return {
      requestId: request.requestId,
      ok: false,
      error: { errorType: name, errorMessage: message, trace: stack?.split('\n') ?? [] },
    };
  }
}

async function load(directory: string, handler: string): Promise<Handler> {
  const [module = '', name = ''] = handler.split('.');
  const file = ['.mjs', '.js', '.cjs']
    .map((extension) => join(directory, `${module}${extension}`))
    .find((path) => existsSync(path));
  if (file === undefined) throw named('Runtime.ImportModuleError', `cannot find module '${module}'`);
  // As on AWS: a bundle in CommonJS that is imported, and not required, makes Node.js look for its exports first.
  const exports = (file.endsWith('.mjs') ? await import(pathToFileURL(file).href) : require(file)) as Record<
    string,
    unknown
  >;
  const found = exports[name];
  if (typeof found !== 'function') {
    throw named('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  return found as Handler;
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
