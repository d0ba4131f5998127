import type { Log } from '../ports.ts';

/** A feature of RDS that a role can be attached for. */
export type Feature = 's3Export' | 's3Import';

/** A database as RDS describes it, as far as its roles go. */
export interface DatabaseState {
  /** `available`, or what it is busy with. */
  readonly status: string;
  readonly roles: readonly { readonly feature: string; readonly roleArn: string; readonly status: string }[];
}

/** One cluster or instance, as attaching a role needs it. */
export interface FeatureRoleDatabase {
  /** `missing` where RDS knows no such database. */
  describe(): Promise<DatabaseState | 'missing'>;
  /** Returns `busy` where RDS does nothing of the kind at the moment; attaching and detaching continue afterwards. */
  attach(feature: Feature, roleArn: string): Promise<'begun' | 'busy'>;
  detach(feature: Feature, roleArn: string): Promise<'begun' | 'busy'>;
}

/** The role that is to be attached, and the one of ours that it takes the place of. */
export interface WantedRole {
  readonly feature: Feature;
  readonly roleArn: string;
  readonly previousRoleArn?: string | undefined;
}

/** What is to be done next. */
export type RoleAction =
  | { readonly kind: 'attach' }
  | { readonly kind: 'detach'; readonly roleArn: string }
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Decides what attaching takes next. A database has one role for each feature: one that another stack or person attached is
 * never replaced, since something of theirs would stop working.
 */
export function nextToAttach(state: DatabaseState | 'missing', wanted: WantedRole): RoleAction {
  if (state === 'missing')
    return {
      kind: 'refuse',
      reason: 'RDS has no such database: look at database.identifier and database.kind',
    };
  const attached = state.roles.find(({ feature }) => feature === wanted.feature);
  if (attached?.roleArn === wanted.roleArn && attached.status === 'ACTIVE') return { kind: 'done' };
  if (attached !== undefined && attached.roleArn !== wanted.roleArn) {
    if (attached.roleArn !== wanted.previousRoleArn) {
      return {
        kind: 'refuse',
        reason: `${attached.roleArn} is attached for ${wanted.feature} already, and not by this stack. Detach it if it is not needed, or name it in database.attachedS3Roles`,
      };
    }
    if (attached.status === 'PENDING') return { kind: 'wait', reason: 'the previous role is being detached' };
    return whenAvailable(state, { kind: 'detach', roleArn: attached.roleArn });
  }
  // Of a role that was made a moment ago RDS may say INVALID until IAM knows it everywhere.
  if (attached !== undefined) return { kind: 'wait', reason: `the role is ${attached.status}` };
  return whenAvailable(state, { kind: 'attach' });
}

/** Decides what detaching takes next. Only our own role is ever detached. */
export function nextToDetach(state: DatabaseState | 'missing', { feature, roleArn }: WantedRole): RoleAction {
  if (state === 'missing') return { kind: 'done' };
  const attached = state.roles.find((each) => each.feature === feature && each.roleArn === roleArn);
  if (attached === undefined) return { kind: 'done' };
  if (attached.status === 'PENDING') return { kind: 'wait', reason: 'the role is PENDING' };
  return whenAvailable(state, { kind: 'detach', roleArn });
}

/** Takes one step towards the goal. Returns whether it is reached; asked again and again until it is. */
export async function advance(
  decide: typeof nextToAttach,
  wanted: WantedRole,
  { database, log }: { readonly database: FeatureRoleDatabase; readonly log: Log },
): Promise<boolean> {
  const action = decide(await database.describe(), wanted);
  log.info('feature-role', { feature: wanted.feature, roleArn: wanted.roleArn, ...action });
  switch (action.kind) {
    case 'done':
      return true;
    case 'refuse':
      throw new Error(action.reason);
    case 'attach':
      await database.attach(wanted.feature, wanted.roleArn);
      return false;
    case 'detach':
      await database.detach(wanted.feature, action.roleArn);
      return false;
    case 'wait':
      return false;
  }
}

/** RDS changes roles of an available database only, one at a time. A stopped one stays unavailable until it is started. */
function whenAvailable({ status }: DatabaseState, action: RoleAction): RoleAction {
  if (status === 'available') return action;
  if (status === 'stopped') return { kind: 'refuse', reason: 'the database is stopped; start it first' };
  return { kind: 'wait', reason: `the database is ${status}` };
}
