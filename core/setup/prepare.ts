import type { PartitionSetConfig } from '../config/partition-set.ts';
import { ArchiverError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { acceptedAdvice, unaccepted } from '../publications.ts';
import type { PreflightProblem } from '../archive/preflight.ts';
import { type DatabaseFacts, LOGIN_ROLES, type LoginRole, type PrepareDatabase } from './prepare-database.ts';
import {
  extensionStatement,
  neededExtensions,
  ownersAndSchemas,
  registerOwnerStatement,
} from './prepare-script.ts';

/** What `prepare` is given besides the database. */
export interface PrepareOptions {
  readonly partitionSets: readonly PartitionSetConfig[];
  /** Publications that may carry the archiver's tables and those of the sets. */
  readonly acceptedPublications?: readonly string[] | undefined;
  /** The secret of a login role; `undefined` leaves its password as it is. */
  readonly secretOf: (role: LoginRole) => Promise<{ username: string; password: string } | undefined>;
  /** Whether the roles log in by IAM. */
  readonly byIam?: boolean;
  /** Whether to install the event trigger that guards tables of the ledger against being dropped. */
  readonly guard: boolean;
  readonly log: Log;
}

/** What was done, what is missing, and what might be better. Ready where nothing is missing. */
export interface Preparation {
  readonly done: readonly string[];
  readonly problems: readonly PreflightProblem[];
  readonly advice: readonly PreflightProblem[];
}

const OLDEST_SERVER = 140_000;
const OLDEST_PARTMAN = '4.7';

/**
 * Prepares a database for the archiver, as an administrator; upgrades what an earlier version installed. Safe to run
 * again. What the administrator may not do is reported with the statement for a role that may.
 */
export async function prepare(
  database: PrepareDatabase,
  { partitionSets, acceptedPublications = [], secretOf, byIam = false, guard, log }: PrepareOptions,
): Promise<Preparation> {
  const found = await database.facts(partitionSets);
  const facts = { ...found, extensions: neededExtensions(found, partitionSets) };
  const done: string[] = [];
  const problems: PreflightProblem[] = [...obstacles(facts, acceptedPublications)];
  const advice: PreflightProblem[] = [...acceptedAdvice(facts.publications, acceptedPublications)];
  const ended = async (): Promise<Preparation> => ({
    done,
    problems,
    advice: [...(await database.advice(partitionSets)), ...advice],
  });
  if (problems.length > 0) return ended();

  const attempt = async (
    what: string,
    step: () => Promise<void>,
    problem: PreflightProblem,
  ): Promise<boolean> => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'DatabaseRejected') throw error;
      problems.push({ ...problem, problem: `${problem.problem} (${error.message})` });
      return false;
    }
    done.push(what);
    log.info('prepared', { what });
    return true;
  };

  for (const { name, installed } of facts.extensions) {
    if (installed !== null) continue;
    await attempt(`extension ${name}`, () => database.createExtension(name), {
      subject: `extension ${name}`,
      problem: `could not be installed by ${facts.administrator}`,
      remedy: extensionStatement(name),
    });
  }
  const installed = await attempt(
    'roles, ledger, functions and grants',
    () => database.install(acceptedPublications),
    {
      subject: `role ${facts.administrator}`,
      problem: 'could not install the archiver',
      remedy: facts.eventTriggers.length > 0 ? exempt(facts.eventTriggers) : AS_SUPERUSER,
    },
  );
  if (!installed) return ended();

  for (const [owner, schemas] of ownersAndSchemas(facts, partitionSets)) {
    try {
      await attempt(`owner ${owner} of ${schemas.join(', ')}`, () => database.registerOwner(owner, schemas), {
        subject: `owner ${owner}`,
        problem: 'could not be registered',
        remedy: `Have a role that may pass ${owner} on run: ${registerOwnerStatement(owner, schemas)}`,
      });
    } catch (error) {
      // An owner that may more than an owner has to: the problems of its tables, below, say the way out.
      if (!(error instanceof ArchiverError) || error.code !== 'PreflightFailed') throw error;
    }
  }
  for (const role of LOGIN_ROLES) {
    const secret = await secretOf(role);
    if (secret === undefined) continue;
    if (secret.username !== role) {
      const problem = `its secret names the user ${JSON.stringify(secret.username)}`;
      problems.push({
        subject: `role ${role}`,
        problem,
        remedy: `Let "username" of that secret be ${role}.`,
      });
      continue;
    }
    await attempt(`password of ${role}`, () => database.setPassword(role, secret.password), {
      subject: `role ${role}`,
      problem: `${facts.administrator} may not set its password`,
      remedy: `\\password ${role}`,
    });
  }
  // Not granted here: RDS then refuses the passwords of all members of these roles, direct and indirect.
  if (byIam) problems.push(...(await database.rolesWithoutIam()).map(withoutIam));
  if (guard) await tryGuard(database, facts, done, advice);
  problems.push(...(await database.problems(partitionSets, acceptedPublications)));
  return ended();
}

const withoutIam = (role: LoginRole): PreflightProblem => ({
  subject: `role ${role}`,
  problem: 'logs in by IAM and is no member of rds_iam',
  remedy: `Read docs/operations.md, "Without passwords", then run: grant rds_iam to ${role};`,
});

const AS_SUPERUSER = 'Prepare as rds_superuser (a superuser elsewhere), or have a DBA run what print shows.';

/** For whom an error at the installation is likelier to come from. */
const exempt = (eventTriggers: readonly string[]): string =>
  `Look at the event triggers of others, which run at each of its statements (${eventTriggers.join(', ')}): let them do nothing for the archiver, as docs/setup.md says, or disable them meanwhile. Otherwise: ${AS_SUPERUSER}`;

/** A guard that may not be installed leaves the archiver as safe as it is without one. */
async function tryGuard(
  database: PrepareDatabase,
  facts: DatabaseFacts,
  done: string[],
  advice: PreflightProblem[],
): Promise<void> {
  try {
    await database.installGuard();
    done.push('event trigger that guards the tables of the ledger');
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'DatabaseRejected') throw error;
    advice.push({
      subject: 'event trigger partition_archiver_guard',
      problem: `may not be installed by ${facts.administrator}: others can drop tables that are not archived yet`,
      remedy: 'Have a superuser (rds_superuser on RDS) run db/guard.sql.',
    });
  }
}

/** What makes it useless to begin. */
function* obstacles(
  facts: DatabaseFacts,
  acceptedPublications: readonly string[],
): Generator<PreflightProblem> {
  if (facts.serverVersionNumber < OLDEST_SERVER) {
    const problem = 'is older than 14, which cannot scan a range of blocks';
    yield { subject: `PostgreSQL ${facts.serverVersion}`, problem, remedy: 'Upgrade the server.' };
  }
  if (!facts.mayCreateRoles) {
    const remedy = `Prepare as another role, or: alter role ${facts.administrator} createrole;`;
    yield { subject: `role ${facts.administrator}`, problem: 'may not create roles', remedy };
  }
  yield* unaccepted(facts.publications, acceptedPublications);
  for (const { name, installed, available } of facts.extensions) {
    const version = installed?.version ?? available;
    if (version === null) {
      const remedy =
        name === 'aws_s3'
          ? 'aws_s3 comes with RDS and Aurora: look whether this engine version has the feature s3Export. Elsewhere, set "export": "stream" for each partition set.'
          : 'Move to an engine version that brings pg_partman.';
      yield { subject: `extension ${name}`, problem: 'is not available on this server', remedy };
    } else if (name === 'pg_partman' && isTooOld(version)) {
      const problem = `has version ${version}, older than ${OLDEST_PARTMAN}`;
      const remedy =
        available === null || isTooOld(available)
          ? `Move to an engine version that brings pg_partman ${OLDEST_PARTMAN} or later.`
          : 'alter extension pg_partman update;';
      yield { subject: 'extension pg_partman', problem, remedy };
    }
  }
}

/** Of a version of pg_partman. */
function isTooOld(version: string): boolean {
  return version.localeCompare(OLDEST_PARTMAN, 'en', { numeric: true }) < 0;
}
