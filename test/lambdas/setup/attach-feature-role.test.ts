import { describe, expect, test } from '@jest/globals';
import { RDSServiceException, type RDSClient } from '@aws-sdk/client-rds';
import { featureRoles } from '../../../adapters/rds/feature-roles.ts';
import {
  featureRoleHandlers,
  type FeatureRoleEvent,
} from '../../../lambdas/runtime/feature-role-handlers.ts';
import { silentLog } from '../../../core/ports.ts';

const OURS = 'arn:aws:iam::111122223333:role/ours';
const THEIRS = 'arn:aws:iam::111122223333:role/theirs';

interface FakeRole {
  FeatureName: string;
  RoleArn: string;
  Status: string;
}

/** RDS with one database. Like the real one it is busy for a while after each change, and refuses others meanwhile. */
class FakeRds {
  status = 'available';
  roles: FakeRole[] = [];
  readonly calls: string[] = [];
  exists = true;
  private busyFor = 0;
  private readonly kind: 'Cluster' | 'Instance';

  constructor(kind: 'Cluster' | 'Instance' = 'Cluster') {
    this.kind = kind;
  }

  readonly send = (async (command: {
    constructor: { name: string };
    input: Record<string, string>;
  }): Promise<object> => {
    const name = command.constructor.name.replace(/Command$/, '');
    const { FeatureName = '', RoleArn = '', ...rest } = command.input;
    expect(rest).toEqual({ [`DB${this.kind}Identifier`]: 'orders' });
    switch (name) {
      case `DescribeDB${this.kind}s`: {
        if (!this.exists) throw fault(`DB${this.kind}NotFoundFault`);
        this.pass();
        const database = { AssociatedRoles: structuredClone(this.roles) };
        return this.kind === 'Cluster'
          ? { DBClusters: [{ Status: this.status, ...database }] }
          : { DBInstances: [{ DBInstanceStatus: this.status, ...database }] };
      }
      case `AddRoleToDB${this.kind}`:
        this.change(`add ${FeatureName} ${RoleArn}`);
        this.roles.push({ FeatureName, RoleArn, Status: 'PENDING' });
        return {};
      case `RemoveRoleFromDB${this.kind}`:
        this.change(`remove ${FeatureName} ${RoleArn}`);
        this.roles.find((role) => role.RoleArn === RoleArn)!.Status = 'PENDING';
        this.leaving = RoleArn;
        return {};
      default:
        throw new Error(`nobody should call ${name}`);
    }
  }) as unknown as RDSClient['send'];

  private leaving = '';

  private change(call: string): void {
    if (this.status !== 'available') throw fault(`InvalidDB${this.kind}StateFault`);
    this.calls.push(call);
    this.status = 'modifying';
    this.busyFor = 2;
  }

  private pass(): void {
    if (this.busyFor === 0 || (this.busyFor -= 1) > 0) return;
    this.status = 'available';
    this.roles = this.roles.filter(({ RoleArn }) => RoleArn !== this.leaving);
    this.leaving = '';
    for (const role of this.roles) role.Status = 'ACTIVE';
  }
}

function fault(name: string, message = 'on purpose'): RDSServiceException {
  return new RDSServiceException({ name, $fault: 'client', message, $metadata: {} });
}

function eventOf(
  RequestType: FeatureRoleEvent['RequestType'],
  changes: Partial<FeatureRoleEvent['ResourceProperties']> = {},
): FeatureRoleEvent {
  const ResourceProperties = {
    kind: 'cluster',
    identifier: 'orders',
    feature: 's3Export',
    roleArn: OURS,
    ...changes,
  } as const;
  return { RequestType, ResourceProperties };
}

/** Does what the provider framework does: onEvent once, then isComplete until it is. */
async function carryOut(rds: FakeRds, event: FeatureRoleEvent): Promise<string> {
  const { onEvent, isComplete } = featureRoleHandlers(
    (kind, identifier) => featureRoles({ send: rds.send }, kind, identifier),
    silentLog,
  );
  const { PhysicalResourceId } = await onEvent(event);
  for (let polls = 0; polls < 20; polls += 1) {
    if ((await isComplete({ ...event, PhysicalResourceId })).IsComplete) return PhysicalResourceId;
  }
  throw new Error('it never became complete');
}

describe.each(['Cluster', 'Instance'] as const)('a role of a %s', (kind) => {
  const changes = { kind: kind === 'Cluster' ? 'cluster' : 'instance' } as const;

  test('is attached, and waited for until it is active', async () => {
    const rds = new FakeRds(kind);
    expect(await carryOut(rds, eventOf('Create', changes))).toBe(`${changes.kind}/orders/s3Export`);
    expect(rds.roles).toEqual([{ FeatureName: 's3Export', RoleArn: OURS, Status: 'ACTIVE' }]);
    expect(rds.calls).toEqual([`add s3Export ${OURS}`]);
  });

  test('is detached again, and waited for until it is gone', async () => {
    const rds = new FakeRds(kind);
    rds.roles = [{ FeatureName: 's3Export', RoleArn: OURS, Status: 'ACTIVE' }];
    await carryOut(rds, eventOf('Delete', changes));
    expect(rds.roles).toEqual([]);
    expect(rds.calls).toEqual([`remove s3Export ${OURS}`]);
  });
});

describe('a role that somebody else attached', () => {
  const theirs = { FeatureName: 's3Export', RoleArn: THEIRS, Status: 'ACTIVE' };

  // Seen to fail without: the check of previousRoleArn in nextToAttach.
  test.each(['Create', 'Update'] as const)(
    'is never replaced by %s, which fails and names it',
    async (type) => {
      const rds = new FakeRds();
      rds.roles = [theirs];
      await expect(carryOut(rds, eventOf(type))).rejects.toThrow(
        `${type} of the role for s3Export at cluster orders: ${THEIRS} is attached for s3Export already`,
      );
      expect(rds.calls).toEqual([]);
    },
  );

  test('stays when ours is deleted', async () => {
    const rds = new FakeRds();
    rds.roles = [theirs];
    await carryOut(rds, eventOf('Delete'));
    expect(rds.roles).toEqual([theirs]);
    expect(rds.calls).toEqual([]);
  });

  test('for the other feature is in nobody’s way', async () => {
    const rds = new FakeRds();
    rds.roles = [{ ...theirs, FeatureName: 's3Import' }];
    await carryOut(rds, eventOf('Create'));
    expect(rds.roles).toHaveLength(2);
  });
});

describe('attaching', () => {
  test('a role that is attached already changes nothing', async () => {
    const rds = new FakeRds();
    rds.roles = [{ FeatureName: 's3Export', RoleArn: OURS, Status: 'ACTIVE' }];
    await carryOut(rds, eventOf('Create'));
    expect(rds.calls).toEqual([]);
  });

  test('a role in place of an earlier one of ours detaches that one first', async () => {
    const rds = new FakeRds();
    const old = 'arn:aws:iam::111122223333:role/old';
    rds.roles = [{ FeatureName: 's3Export', RoleArn: old, Status: 'ACTIVE' }];
    await carryOut(rds, { ...eventOf('Update'), OldResourceProperties: { roleArn: old } });
    expect(rds.calls).toEqual([`remove s3Export ${old}`, `add s3Export ${OURS}`]);
    expect(rds.roles).toEqual([{ FeatureName: 's3Export', RoleArn: OURS, Status: 'ACTIVE' }]);
  });

  test('waits for a database that is busy', async () => {
    const rds = new FakeRds();
    await carryOut(rds, eventOf('Create', { feature: 's3Import', roleArn: THEIRS }));
    rds.status = 'backing-up';
    const { onEvent, isComplete } = featureRoleHandlers(
      (kind, identifier) => featureRoles({ send: rds.send }, kind, identifier),
      silentLog,
    );
    await onEvent(eventOf('Create'));
    expect(await isComplete(eventOf('Create'))).toEqual({ IsComplete: false });
    rds.status = 'available';
    await carryOut(rds, eventOf('Create'));
    expect(rds.calls.at(-1)).toBe(`add s3Export ${OURS}`);
  });

  // The others: IAM does not know the new role everywhere. Seen to fail without each in adapters/rds/feature-roles.ts.
  const unknown = 'IAM role ARN value is invalid or does not include the required permissions for: S3_EXPORT';
  test.each([
    ['InvalidDBClusterStateFault', 'on purpose'],
    ['InvalidParameterValue', unknown],
    ['InvalidParameterValueException', unknown],
  ])('continues when RDS refuses the call after the look by %s', async (name, message) => {
    const rds = new FakeRds();
    const send = rds.send;
    let first = true;
    const racing = async (command: { constructor: { name: string } }): Promise<unknown> => {
      if (first && command.constructor.name.startsWith('AddRole')) {
        first = false;
        throw fault(name, message);
      }
      return send(command as never);
    };
    Object.assign(rds, { send: racing });
    await carryOut(rds, eventOf('Create'));
    expect(rds.roles[0]?.Status).toBe('ACTIVE');
  });

  test('fails where the database is stopped or not there', async () => {
    const stopped = new FakeRds();
    stopped.status = 'stopped';
    await expect(carryOut(stopped, eventOf('Create'))).rejects.toThrow('the database is stopped');
    const gone = new FakeRds();
    gone.exists = false;
    await expect(carryOut(gone, eventOf('Create'))).rejects.toThrow(
      'RDS has no such database: look at database.identifier and database.kind',
    );
  });

  // Seen to fail while InvalidParameterValue was waited for: 45 minutes, and then a timeout without a reason.
  test('fails at once where RDS refuses another parameter, such as a feature that the engine lacks', async () => {
    const rds = new FakeRds();
    const send = rds.send;
    let adds = 0;
    const refusing = async (command: { constructor: { name: string } }): Promise<unknown> => {
      if (!command.constructor.name.startsWith('AddRole')) return send(command as never);
      adds += 1;
      throw fault('InvalidParameterValue', 'the feature is not supported');
    };
    Object.assign(rds, { send: refusing });
    await expect(carryOut(rds, eventOf('Create'))).rejects.toThrow(
      'Create of the role for s3Export at cluster orders: the feature is not supported',
    );
    expect(adds).toBe(1);
  });

  test('says what RDS said of anything else', async () => {
    const rds = new FakeRds();
    Object.assign(rds, {
      send: () => Promise.reject(fault('AccessDeniedException')),
    });
    await expect(carryOut(rds, eventOf('Create'))).rejects.toThrow('on purpose');
  });
});

test('deleting where the database is gone is done', async () => {
  const rds = new FakeRds();
  rds.exists = false;
  await expect(carryOut(rds, eventOf('Delete'))).resolves.toBe('cluster/orders/s3Export');
});
