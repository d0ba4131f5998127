import type { LifecycleRule, LifecycleRuleFilter, Tag } from '@aws-sdk/client-s3';
import { counted } from '../../core/counted.ts';
import { PROVEN_TAG } from '../../core/config/proven-tag.ts';
import type { Expiry } from '../../core/config/runtime.ts';

/**
 * What an enabled lifecycle rule would delete of the archive under `prefix`, in words, or `null`. Of a rule that asks
 * for tags only that of proven data matches: objects of an archive have no other. What is configured to expire may,
 * but not earlier, and only proven data: manifests and DDL stay.
 */
export function deletionBy(rule: LifecycleRule, prefix: string, expiry?: Expiry): string | null {
  if (rule.Status !== 'Enabled' || !mayMatch(rule, prefix)) return null;
  const { Days, Date: date } = rule.Expiration ?? {};
  const noncurrent = rule.NoncurrentVersionExpiration?.NoncurrentDays;
  const proven = conditionsOf(rule.Filter).tags.length > 0;
  const isEarlier = (days: number | undefined, configured: number | undefined): days is number =>
    days !== undefined && !(proven && configured !== undefined && days >= configured);
  const deletions = [
    ...(isEarlier(Days, expiry?.days) ? [`objects after ${counted(Days, 'day')}`] : []),
    ...(date === undefined ? [] : [`objects on ${date.toISOString().slice(0, 10)}`]),
    ...(isEarlier(noncurrent, expiry?.deleteVersionsAfterDays)
      ? [`noncurrent versions after ${counted(noncurrent, 'day')}`]
      : []),
  ];
  return deletions.length === 0 ? null : deletions.join(' and ');
}

function mayMatch(rule: LifecycleRule, prefix: string): boolean {
  const { prefixes, tags } = conditionsOf(rule.Filter);
  const legacy = legacyPrefix(rule);
  const overlaps = [...prefixes, ...(legacy === undefined ? [] : [legacy])].every(
    (wanted) => wanted.startsWith(prefix) || prefix.startsWith(wanted),
  );
  return overlaps && tags.every(({ Key, Value }) => Key === PROVEN_TAG.key && Value === PROVEN_TAG.value);
}

/** The old form of a rule, which S3 still returns for buckets that were given one. */
function legacyPrefix(rule: object): string | undefined {
  return 'Prefix' in rule && typeof rule.Prefix === 'string' ? rule.Prefix : undefined;
}

function conditionsOf(filter: LifecycleRuleFilter = {}): { prefixes: string[]; tags: Tag[] } {
  const prefixes = [filter.Prefix, filter.And?.Prefix].filter((each) => each !== undefined);
  return { prefixes, tags: [...(filter.Tag ? [filter.Tag] : []), ...(filter.And?.Tags ?? [])] };
}
