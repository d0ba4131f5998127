import { Token } from 'aws-cdk-lib';
import { parseConstructProps } from '../core/config/construct.ts';
import { describeProblem } from '../core/config/problems.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../core/config/runtime.ts';
import type { PartitionArchiverProps } from './partition-archiver-props.ts';

type Checked = Pick<PartitionArchiverProps, 'config'> & Partial<PartitionArchiverProps>;

/**
 * Checks what the deployment file says of a database and of schedules, too, as far as it is known, and fills in the defaults of
 * the config. Throws an error with all mistakes.
 */
export function checkedProps({ config, database, schedule, drill }: Checked): RuntimeConfig {
  const parsed = parseRuntimeConfig(config);
  const { archive, inventory, drop, convert, audit } = schedule ?? {};
  const others = parseConstructProps(
    known({
      database:
        database &&
        known({
          ...database,
          formerNames: knownOf(database.formerNames ?? []),
          securityGroupIds: knownOf(database.securityGroupIds),
        }),
      schedule: known({ archive, inventory, drop, convert, audit }),
      drill: known({ schedule: drill?.schedule }),
    }),
  );
  const problems = [...(parsed.ok ? [] : parsed.problems), ...(others.ok ? [] : others.problems)];
  if (parsed.ok && problems.length === 0) return parsed.config;
  throw new Error(`the config of a PartitionArchiver: ${problems.map(describeProblem).join('; ')}`);
}

/** Without what only CloudFormation knows. */
const known = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && !Token.isUnresolved(value)),
  ) as Partial<T>;

/** The same of a list; `undefined` where nothing of it is known. */
function knownOf(values: readonly string[]): readonly string[] | undefined {
  if (Token.isUnresolved(values)) return undefined;
  const left = values.filter((value) => !Token.isUnresolved(value));
  return left.length === 0 && values.length > 0 ? undefined : left;
}
