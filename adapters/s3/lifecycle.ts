import type { LifecycleRule, LifecycleRuleFilter, Tag } from '@aws-sdk/client-s3';
import { isCold } from '../../core/archive-store.ts';
import { counted } from '../../core/counted.ts';
import { COPY_TAG, PROVEN_TAG } from '../../core/config/proven-tag.ts';
import type { Expiry } from '../../core/config/runtime.ts';

/**
 * What an enabled lifecycle rule would delete of the archive under `prefix`, in words, or `null`. Of a rule that asks
 * for tags only that of proven data matches, or another one that is asked about: objects of an archive have no other. What
 * is configured to expire may, but not earlier, and only what has a tag: manifests and DDL stay.
 */
export function deletionBy(
  rule: LifecycleRule,
  prefix: string,
  expiry?: Expiry,
  tag: ArchiveTag = PROVEN_TAG,
): string | null {
  if (rule.Status !== 'Enabled' || !mayMatch(rule, prefix, tag)) return null;
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

/** Whether a rule asks for a tag. */
export const hasTag = ({ Filter }: LifecycleRule): boolean => conditionsOf(Filter).tags.length > 0;

/**
 * What an enabled lifecycle rule would move to where it is not read at once, in words, or `null`: of objects without a tag,
 * which manifests and DDL are, and of Parquet copies, which engines pass over in silence there. Of proven data only what
 * moves earlier than `leastDays` after its export, where there is such a number.
 */
export function coldMoveBy(rule: LifecycleRule, prefix: string, leastDays?: number): string | null {
  if (rule.Status !== 'Enabled') return null;
  const moves = (rule.Transitions ?? []).filter(({ StorageClass }) => isCold(StorageClass ?? ''));
  const [first] = moves.toSorted((a, b) => (a.Days ?? 0) - (b.Days ?? 0));
  if (first === undefined) return null;
  const { Days, StorageClass = '' } = first;
  const when = Days === undefined ? 'on a date' : `after ${counted(Days, 'day')}`;
  if (mayMatch(rule, prefix, COPY_TAG)) {
    return `${hasTag(rule) ? 'Parquet copies' : 'manifests and Parquet copies'} to ${StorageClass} ${when}`;
  }
  const isEarly = leastDays !== undefined && (Days === undefined || Days < leastDays);
  return isEarly && mayMatch(rule, prefix, PROVEN_TAG) ? `text to ${StorageClass} ${when}` : null;
}

/** A tag of objects of an archive. */
type ArchiveTag = Readonly<Record<'key' | 'value', string>>;

function mayMatch(rule: LifecycleRule, prefix: string, tag: ArchiveTag): boolean {
  const { prefixes, tags } = conditionsOf(rule.Filter);
  const legacy = legacyPrefix(rule);
  const overlaps = [...prefixes, ...(legacy === undefined ? [] : [legacy])].every(
    (wanted) => wanted.startsWith(prefix) || prefix.startsWith(wanted),
  );
  return overlaps && tags.every(({ Key, Value }) => Key === tag.key && Value === tag.value);
}

/** The old form of a rule, which S3 still returns for buckets that were given one. */
function legacyPrefix(rule: object): string | undefined {
  return 'Prefix' in rule && typeof rule.Prefix === 'string' ? rule.Prefix : undefined;
}

function conditionsOf(filter: LifecycleRuleFilter = {}): { prefixes: string[]; tags: Tag[] } {
  const prefixes = [filter.Prefix, filter.And?.Prefix].filter((each) => each !== undefined);
  return { prefixes, tags: [...(filter.Tag ? [filter.Tag] : []), ...(filter.And?.Tags ?? [])] };
}
