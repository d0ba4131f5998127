import { join } from 'node:path';
import { acceptance } from '../../acceptance/acceptance.ts';
import { recordedAccount } from './recorded-account.ts';
import type { Spoil } from './account-state.ts';
import { REGION } from './recorded-stacks.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const ENVIRONMENT = { AWS_REGION: REGION };

/** A run with these arguments in an account whose answers are spoiled so. */
export async function perform(
  args: string,
  spoils: Readonly<Record<string, Spoil>> = {},
  environment: Readonly<Record<string, string>> = ENVIRONMENT,
) {
  const account = recordedAccount(spoils);
  const code = await acceptance(args.split(' ').filter(Boolean), environment, ROOT, account.ports);
  return { ...account, code, said: account.printed.join('\n') };
}
