import type { Databases } from '../databases.ts';
import type { HttpChannel } from './http-proxy.ts';

/** The archiver's own calls of S3. */
export function s3Channel(endpoint: string): HttpChannel {
  return {
    channel: 's3',
    target: endpoint,
    label: (method, url) => {
      const { pathname, searchParams } = new URL(url, endpoint);
      const [folder] =
        /\/(data|ddl|manifest)\//.exec(decodeURIComponent(pathname + (searchParams.get('prefix') ?? ''))) ??
        [];
      const subject = [...searchParams.keys()].filter(
        (key) => !/^(x-id|versionId|prefix|encoding-type)$/.test(key),
      );
      return [method, ...subject, (folder ?? '').replaceAll('/', '')].filter((part) => part !== '').join(' ');
    },
    errorBody: (code) =>
      `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up by the fault proxy</Message></Error>`,
  };
}

/**
 * What aws_s3 does on the server: here, its stand-in's requests to the sidecar. An answer that the sidecar reports comes
 * with the second request, in JSON.
 */
export function awsS3Channel(sidecar: string): HttpChannel {
  return {
    channel: 'aws_s3',
    target: sidecar,
    label: (method, url) => {
      const [, kind = '', , verb = ''] = url.split('/');
      // The abort is how the stand-in asks why an upload failed, and no call of aws_s3's.
      if (kind !== 'export' || verb === 'abort') return null;
      return method === 'PUT' ? 'upload' : 'complete the upload';
    },
    errorBody: (code) =>
      JSON.stringify({
        error: {
          code,
          message: 'made up by the fault proxy',
          transient: /^(SlowDown|InternalError)$/.test(code),
        },
      }),
  };
}

/** The archiver's way to its secrets. */
export function secretsChannel(endpoint: string): HttpChannel {
  return {
    channel: 'secrets',
    target: endpoint,
    label: () => 'GetSecretValue',
    errorBody: (code) => JSON.stringify({ __type: code, Message: 'made up by the fault proxy' }),
  };
}

/** Where the stack's databases find the sidecar, unless they are told otherwise. */
export async function findSidecar(databases: Databases): Promise<string> {
  const admin = databases.connect('postgres', { max: 1 });
  const [setting] = await admin<{ url: string }[]>`select current_setting('aws_s3_local.sidecar') as url`;
  await admin.end();
  if (setting === undefined) throw new Error('the server has no aws_s3_local.sidecar');
  return setting.url;
}
