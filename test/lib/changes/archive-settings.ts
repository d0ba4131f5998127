import { archive, firstSet, MADE_KEY, OTHER_KEY, OWN_KEY, type ChangedSetting } from './changed-setting.ts';

const bucket = { name: 'company-archive', keyArn: OWN_KEY };
const NO_LOGS = { accessLogs: undefined };

export const ARCHIVE_SETTINGS: readonly ChangedSetting[] = [
  {
    settings: ['archive.keyArn', 'archive.formerKeyArns'],
    change: 'the key of the stack → another one',
    before: {},
    after: archive({ keyArn: OWN_KEY, formerKeyArns: [MADE_KEY] }),
    seen: 'New objects get the new key; the former one, the output *KeyArn* of before, is kept and still decrypts.',
  },
  {
    settings: ['archive.keyArn', 'archive.formerKeyArns'],
    change: 'a key of your own → another one',
    before: archive({ keyArn: OWN_KEY }),
    after: archive({ keyArn: OTHER_KEY, formerKeyArns: [OWN_KEY] }),
    seen: 'The same.',
  },
  {
    settings: ['archive.keyArn', 'archive.formerKeyArns'],
    change: 'a key of your own → one of the stack',
    before: archive({ keyArn: OWN_KEY }),
    after: archive({ formerKeyArns: [OWN_KEY] }),
    seen: 'The same.',
  },
  {
    settings: ['archive.bucket.keyArn', 'archive.formerKeyArns'],
    change: 'your bucket encrypts with another key',
    before: archive({ ...NO_LOGS, bucket }),
    after: archive({ ...NO_LOGS, bucket: { ...bucket, keyArn: OTHER_KEY }, formerKeyArns: [OWN_KEY] }),
    seen: 'Change the default key of the bucket at the same time.',
  },
  {
    settings: ['archive.bucket.name', 'archive.bucket.keyArn'],
    change: 'the bucket of the stack, by its name',
    before: {},
    after: archive({ ...NO_LOGS, bucket: { name: 'the-bucket-of-the-stack', keyArn: MADE_KEY } }),
    seen: 'Bucket, policy and key stay as they are, and belong to you. `tiers` and `expiry` of the file no longer change the lifecycle.',
  },
  {
    settings: ['archive.bucket.name'],
    change: 'another bucket',
    before: {},
    after: archive({ ...NO_LOGS, bucket }),
    seen: 'The archives of before stay where they are, and the stack no longer reads them: first drop or release what is verified. To restore from it, name it as the bucket for a while. Copies get other VersionIds than the manifests name.',
    anotherArchive: true,
  },
  {
    settings: ['archive.bucket.name'],
    change: 'your bucket → one of the stack',
    before: archive({ ...NO_LOGS, bucket }),
    after: {},
    seen: 'The same.',
    anotherArchive: true,
  },
  {
    settings: [
      'archive.tiers.standardIaDays',
      'archive.tiers.glacierInstantRetrievalDays',
      'archive.tiers.glacierFlexibleRetrievalDays',
      'archive.tiers.glacierDeepArchiveDays',
    ],
    change: 'none → tiers',
    before: {},
    after: archive({ tiers: { standardIaDays: 30, glacierFlexibleRetrievalDays: 90 } }),
    seen: 'S3 moves the archives of before, too, within days. Nothing moves back when tiers are removed.',
  },
  {
    settings: ['archive.objectLock.days', 'archive.objectLock.mode'],
    change: 'none → GOVERNANCE',
    before: {},
    after: archive({ objectLock: { days: 365 } }),
    seen: 'Archives from now on are locked; those of before are not. Another number holds for archives from then on.',
  },
  {
    settings: ['archive.expiry.days', 'archive.expiry.deleteVersionsAfterDays'],
    change: 'none → expiry',
    before: {},
    after: archive({ expiry: { days: 2555, deleteVersionsAfterDays: 2555 } }),
    seen: 'It holds for the archives of before, too, counted from their export.',
  },
  {
    settings: ['archive.accessLogs'],
    change: 'true → false',
    before: {},
    after: archive({ accessLogs: false }),
    seen: 'The bucket of logs is kept, outside the stack. `true` later makes another one.',
  },
  {
    settings: ['archive.dataEvents'],
    change: 'false → true',
    before: {},
    after: archive({ dataEvents: true }),
    seen: 'One of the five trails of the Region is used.',
  },
  {
    settings: ['archive.dataEvents'],
    change: 'true → `"selector"`',
    before: archive({ dataEvents: true }),
    after: archive({ dataEvents: 'selector' }),
    seen: 'The trail is deleted, its bucket of events is kept. Add the output *EventSelector* to a trail of yours first.',
  },
  {
    settings: ['partitionSets.[].query', 'glueDatabase', 'schedule.convert'],
    change: 'none → copies, and a Glue database',
    before: {},
    after: {
      ...firstSet({ query: true }),
      glueDatabase: 'orders_archive',
    },
    seen: 'The first execution of *Convert* makes copies of the archives of before, too ([query.md](query.md)).',
  },
  {
    settings: ['partitionSets.[].query', 'glueDatabase'],
    change: 'copies → none',
    before: { ...firstSet({ query: true }), glueDatabase: 'orders_archive' },
    after: {},
    seen: 'Copies and Glue database stay as they are, and are no longer kept up to date: withdraw the archives first (`{"withdraw": [...]}`).',
  },
];
