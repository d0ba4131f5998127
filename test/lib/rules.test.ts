/**
 * Rules that hold for good: each was broken once, found by eye, and would have failed a deployment or harmed somebody.
 * They are about this stack, so that they run here, and not at the synthesis of a deployer.
 */
import { describe, expect, test } from '@jest/globals';
import { CONFIGURATIONS } from './configurations.ts';
import { alarmsReachSomebody } from './rules/alarms-reach-somebody.ts';
import type { CloudTemplate, Rule } from './rules/rule.ts';
import { endpointsAreOpen } from './rules/endpoints-are-open.ts';
import { functionsNeedTheVpc } from './rules/functions-need-the-vpc.ts';
import { keptBuckets } from './rules/kept-buckets.ts';
import { machinesAreToldApart } from './rules/machines-are-told-apart.ts';
import { namesFollowReplacements } from './rules/names-follow-replacements.ts';
import { noDuplicateIngress } from './rules/no-duplicate-ingress.ts';
import { quotas } from './rules/quotas.ts';
import { schedulesReachSomebody } from './rules/schedules-reach-somebody.ts';
import { serviceSpec } from './rules/service-spec.ts';
import { tasksWaitForSleepers } from './rules/tasks-wait-for-sleepers.ts';
import { synthesise } from './synthesise.ts';

const RULES: readonly Rule[] = [
  alarmsReachSomebody,
  schedulesReachSomebody,
  tasksWaitForSleepers,
  noDuplicateIngress,
  endpointsAreOpen,
  functionsNeedTheVpc,
  keptBuckets,
  machinesAreToldApart,
  namesFollowReplacements,
  quotas,
  serviceSpec,
];

describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
  test('is broken by a template that breaks it, and by no other', () => {
    for (const each of [rule.breaks, ...(rule.alsoBreak ?? [])]) expect(rule.find(each)).not.toEqual([]);
    expect(rule.find(rule.keeps)).toEqual([]);
  });

  test.each(Object.entries(CONFIGURATIONS))('holds in the configuration %s', (__, changes) => {
    expect(rule.find(synthesise(changes).toJSON() as CloudTemplate)).toEqual([]);
  });
});
