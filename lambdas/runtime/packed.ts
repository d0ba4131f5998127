import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** A value as a text of some tenth of its length, so that it can travel through a state machine. */
export const pack = (value: unknown): string => deflateRawSync(JSON.stringify(value)).toString('base64');

/** What {@link pack} made of a value. */
export const unpack = (text: string): unknown =>
  JSON.parse(inflateRawSync(Buffer.from(text, 'base64')).toString('utf8'));
