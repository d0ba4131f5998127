import { describe, expect, test } from '@jest/globals';
import type { LifecycleRule } from '@aws-sdk/client-s3';
import { coldMoveBy, deletionBy } from '../../../adapters/s3/lifecycle.ts';
import { COPY_TAG, PROVEN_TAG } from '../../../core/config/proven-tag.ts';

const rule = (changes: Partial<LifecycleRule>): LifecycleRule => ({ Status: 'Enabled', ...changes });
const Expiration = { Days: 30 };
const ours = { Key: PROVEN_TAG.key, Value: PROVEN_TAG.value };
const theirs = { Key: 'kind', Value: 'temporary' };

// S3 still returns rules of the old form, whose type is gone.
const oldRule = Object.assign(rule({ Expiration }), { Prefix: 'shop/' });

describe('a lifecycle rule that would delete archives', () => {
  // Seen to fail without: the check of Status in deletionBy (below, of what is let be).
  test.each<[string, LifecycleRule, string]>([
    ['everything', rule({ Expiration }), 'objects after 30 days'],
    ['on a date', rule({ Expiration: { Date: new Date('2027-01-01') } }), 'objects on 2027-01-01'],
    [
      'noncurrent versions',
      rule({ NoncurrentVersionExpiration: { NoncurrentDays: 7 } }),
      'noncurrent versions after 7 days',
    ],
    [
      'both',
      rule({ Expiration, NoncurrentVersionExpiration: { NoncurrentDays: 7 } }),
      'objects after 30 days and noncurrent versions after 7 days',
    ],
    ['an empty prefix', rule({ Expiration, Filter: { Prefix: '' } }), 'objects after 30 days'],
    ['this prefix', rule({ Expiration, Filter: { Prefix: 'shop/' } }), 'objects after 30 days'],
    ['a part of a name', rule({ Expiration, Filter: { Prefix: 'sh' } }), 'objects after 30 days'],
    [
      'one table',
      rule({ Expiration, Filter: { And: { Prefix: 'shop/public/orders/' } } }),
      'objects after 30 days',
    ],
    ['the old form', oldRule, 'objects after 30 days'],
    ['proven data', rule({ Expiration, Filter: { Tag: ours } }), 'objects after 30 days'],
    ['large objects', rule({ Expiration, Filter: { ObjectSizeGreaterThan: 1 } }), 'objects after 30 days'],
  ])('by %s is found', (_, found, deletion) => {
    expect(deletionBy(found, 'shop/')).toBe(deletion);
  });
});

test.each<[string, LifecycleRule]>([
  ['is switched off', rule({ Expiration, Status: 'Disabled' })],
  ['is for another prefix', rule({ Expiration, Filter: { Prefix: 'logs/' } })],
  ['is for another database', rule({ Expiration, Filter: { Prefix: 'shop2/' } })],
  ['is for a tag that archives do not have', rule({ Expiration, Filter: { Tag: theirs } })],
  ['is for two tags', rule({ Expiration, Filter: { And: { Tags: [ours, theirs] } } })],
  ['only aborts uploads', rule({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } })],
  ['only removes delete markers', rule({ Expiration: { ExpiredObjectDeleteMarker: true } })],
  ['only moves to colder storage', rule({ Transitions: [{ Days: 1, StorageClass: 'DEEP_ARCHIVE' }] })],
])('a lifecycle rule that %s is let be', (_, harmless) => {
  expect(deletionBy(harmless, 'shop/')).toBeNull();
});

describe('where archives are configured to expire', () => {
  const expiry = { days: 365, deleteVersionsAfterDays: 30 };
  const provenOnly = { Filter: { Tag: ours } };
  const after = (days: number, noncurrent?: number): Partial<LifecycleRule> => ({
    Expiration: { Days: days },
    ...(noncurrent === undefined ? {} : { NoncurrentVersionExpiration: { NoncurrentDays: noncurrent } }),
  });

  test.each<[string, LifecycleRule]>([
    ['exactly that', rule({ ...after(365, 30), ...provenOnly })],
    ['later', rule({ ...after(366, 31), ...provenOnly })],
    ['only the marker', rule({ ...after(365), ...provenOnly })],
    [
      'of one table',
      rule({ ...after(365), Filter: { And: { Prefix: 'shop/public/orders/', Tags: [ours] } } }),
    ],
  ])('a rule that does %s is let be', (_, found) => {
    expect(deletionBy(found, 'shop/', expiry)).toBeNull();
  });

  // Seen to fail with any of the comparisons, or with the look at the tag, taken away.
  test.each<[string, LifecycleRule, string]>([
    ['earlier', rule({ ...after(364), ...provenOnly }), 'objects after 364 days'],
    ['versions earlier', rule({ ...after(365, 29), ...provenOnly }), 'noncurrent versions after 29 days'],
    [
      'on a date',
      rule({ Expiration: { Date: new Date('2099-01-01') }, ...provenOnly }),
      'objects on 2099-01-01',
    ],
    ['manifests, too', rule(after(365)), 'objects after 365 days'],
  ])('a rule that deletes %s is found', (_, found, deletion) => {
    expect(deletionBy(found, 'shop/', expiry)).toBe(deletion);
  });

  test('a rule for versions is found where only objects are to expire', () => {
    const found = rule({ ...after(365, 3650), ...provenOnly });
    expect(deletionBy(found, 'shop/', { days: 365 })).toBe('noncurrent versions after 3650 days');
  });
});

const copies = { Key: COPY_TAG.key, Value: COPY_TAG.value };
const cold = (days: number | undefined, changes: Partial<LifecycleRule> = {}): LifecycleRule =>
  rule({
    Transitions: [{ ...(days !== undefined && { Days: days }), StorageClass: 'DEEP_ARCHIVE' }],
    ...changes,
  });

// Seen to fail without the classes, without the tag of copies, and without the days of text.
test.each<[string, LifecycleRule, string | null]>([
  ['of everything', cold(90), 'manifests and Parquet copies to DEEP_ARCHIVE after 90 days'],
  ['of copies', cold(90, { Filter: { Tag: copies } }), 'Parquet copies to DEEP_ARCHIVE after 90 days'],
  ['of text, early', cold(29, { Filter: { Tag: ours } }), 'text to DEEP_ARCHIVE after 29 days'],
  ['of text, on a date', cold(undefined, { Filter: { Tag: ours } }), 'text to DEEP_ARCHIVE on a date'],
  ['of text, later', cold(30, { Filter: { Tag: ours } }), null],
  ['of another database', cold(1, { Filter: { Prefix: 'shop2/' } }), null],
  ['that is switched off', cold(1, { Status: 'Disabled' }), null],
  [
    'to what is read at once',
    rule({
      Transitions: [
        { Days: 30, StorageClass: 'GLACIER_IR' },
        { Days: 1, StorageClass: 'STANDARD_IA' },
      ],
    }),
    null,
  ],
  [
    'in two steps',
    rule({
      Transitions: [
        { Days: 30, StorageClass: 'GLACIER_IR' },
        { Days: 60, StorageClass: 'GLACIER' },
      ],
    }),
    'manifests and Parquet copies to GLACIER after 60 days',
  ],
])('a move to Glacier %s', (_, found, move) => {
  expect(coldMoveBy(found, 'shop/', 30)).toBe(move);
});

test('text may move at once where it has no copies', () => {
  expect(coldMoveBy(cold(1, { Filter: { Tag: ours } }), 'shop/')).toBeNull();
});

test('a rule that deletes copies is found by their tag', () => {
  const found = rule({ Expiration, Filter: { Tag: copies } });
  expect(deletionBy(found, 'shop/')).toBeNull();
  expect(deletionBy(found, 'shop/', undefined, COPY_TAG)).toBe('objects after 30 days');
  expect(deletionBy(found, 'shop/', { days: 30 }, COPY_TAG)).toBeNull();
});
