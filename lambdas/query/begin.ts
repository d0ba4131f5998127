import { beginConversion } from '../../core/query/convert-parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { copyPorts } from '../runtime/copies.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';

/** Looks whether an archive has a copy and can be read, and lists its segments. */
export const handler = bucketStep(
  'begin-conversion',
  ({ manifestKey, config }: { readonly manifestKey: string } & WithConfig, context) => {
    const { expiry } = readRuntimeConfig(config, 'none, too');
    return beginConversion(manifestKey, { ...copyPorts(context), expiry });
  },
);
