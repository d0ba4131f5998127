import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { functionLogin } from '../../../lambdas/runtime/login.ts';

const settings = {
  archiver: 'test',
  databaseHost: 'proxy.example',
  databasePort: 5432,
  databaseName: 'shop',
  formerNames: [],
  login: { user: 'archiver_read' },
  archiveBucket: 'archive',
  region: 'eu-central-1',
};

const before = { ...process.env };
beforeEach(() => {
  // As Lambda gives them to a function.
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  process.env['AWS_SESSION_TOKEN'] = 'token';
});
afterEach(() => {
  process.env = { ...before };
});

test('a function without a secret signs a token with its own credentials, for the endpoint that it connects to', async () => {
  const { username, password } = await functionLogin(settings)();
  if (typeof password === 'string') throw new Error('there is a password');
  expect(username).toBe('archiver_read');
  const token = await password({ host: 'reader.example', port: 6432 });
  expect(token).toMatch(/^reader\.example:6432\/\?Action=connect&DBUser=archiver_read&/);
  expect(token).toMatch(/X-Amz-Credential=AKIDEXAMPLE%2F\d{8}%2Feu-central-1%2Frds-db%2Faws4_request/);
});
