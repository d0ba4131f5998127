import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { serveJson, type JsonAnswer, type JsonService } from './json-service.ts';

/** What AWS Secrets Manager is needed for here: secrets that are put and got by name or ARN. */
export interface SecretsManager extends JsonService {
  put(arn: string, value: Record<string, unknown>): void;
}

/**
 * Starts a stub of AWS Secrets Manager's JSON protocol. Point an SDK client's `endpoint` (or
 * AWS_ENDPOINT_URL_SECRETS_MANAGER) at it. Signatures and IAM are not checked, and only current versions exist.
 */
export async function startSecretsManager(): Promise<SecretsManager> {
  const secrets = new Map<string, string>();
  const service = await serveJson((request) => answer(request, secrets));
  return {
    ...service,
    put(arn, value) {
      secrets.set(arn, JSON.stringify(value));
    },
  };
}

async function answer(request: IncomingMessage, secrets: Map<string, string>): Promise<JsonAnswer> {
  const target = request.headers['x-amz-target'];
  const input = parse(await text(request));
  if (input === undefined) return failure('SerializationException', 'the body is not a JSON object');
  switch (target) {
    case 'secretsmanager.GetSecretValue': {
      const id = input['SecretId'];
      const value = typeof id === 'string' ? secrets.get(id) : undefined;
      if (typeof id !== 'string' || value === undefined) {
        return failure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      }
      return { status: 200, body: describe(id, { SecretString: value, CreatedDate: 0 }) };
    }
    // Test processes other than the one that holds the stack put their secrets by this call.
    case 'secretsmanager.PutSecretValue': {
      const { SecretId: id, SecretString: value } = input;
      if (typeof id !== 'string' || typeof value !== 'string') {
        return failure('InvalidParameterException', 'SecretId and SecretString are needed.');
      }
      secrets.set(id, value);
      return { status: 200, body: describe(id, {}) };
    }
    default:
      return failure('UnknownOperationException', `not offered by the local stub: ${String(target)}`);
  }
}

function describe(id: string, more: Record<string, unknown>): Record<string, unknown> {
  const name = id.split(':secret:').at(-1) ?? id;
  return { ARN: id, Name: name, VersionId: 'local', VersionStages: ['AWSCURRENT'], ...more };
}

function failure(type: string, message: string): JsonAnswer {
  return { status: 400, body: { __type: type, Message: message } };
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
