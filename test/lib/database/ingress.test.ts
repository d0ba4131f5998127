/** Security groups that the stack did not make: what it adds to them, or leaves to their owners. */
import { describe, expect, test } from '@jest/globals';
import { CONFIGURATIONS } from '../configurations.ts';
import { ingressOf } from '../rules/no-duplicate-ingress.ts';
import { textOf, type CloudTemplate } from '../rules/rule.ts';
import { synthesise } from '../synthesise.ts';

interface Rule {
  readonly groupId: string;
  readonly port: number;
  readonly source: string;
}

/** Rules of security groups that the stack did not make, as `group port-port source`. */
const given = (template: CloudTemplate) => ingressOf(template).filter((rule) => rule.startsWith('sg-'));

describe.each(Object.entries(CONFIGURATIONS))('%s', (_, changes: { database?: object }) => {
  const ours = synthesise(changes).toJSON() as CloudTemplate;
  const database = { ...(changes.database ?? (CONFIGURATIONS['minimal'] as { database: object }).database) };
  const theirs = synthesise({
    ...changes,
    database: { ...database, allowIngress: false },
  }).toJSON() as CloudTemplate;

  // Seen to fail with mutable imports.
  test('has no rule added to the groups of others with allowIngress: false', () => {
    expect(given(theirs)).toEqual([]);
    expect(given(ours)).not.toEqual([]);
  });

  test('lists the same rules as an output', () => {
    const [output] = Object.entries(theirs.Outputs ?? {}).filter(([id]) => id.includes('IngressRules'));
    const rules = JSON.parse(textOf(output?.[1].Value)) as Rule[];
    const lines = rules.map(({ groupId, port, source }) => {
      const ports = `${String(port)}-${String(port)}`;
      return `${groupId} tcp ${ports} ${source}`;
    });
    expect(lines.sort()).toEqual(given(ours).sort());
    expect(Object.keys(ours.Outputs ?? {}).filter((id) => id.includes('IngressRules'))).toEqual([]);
  });
});
