import type { ColumnValues } from './column-values.ts';

/**
 * Reads a field that begins at `at` and adds its value. Returns where the field ends, or `NOT_EXACT` where it is not
 * written exactly as PostgreSQL writes this type, or Parquet cannot hold it. The bytes end with a newline.
 */
export type FieldParser = (bytes: Buffer, at: number, into: ColumnValues) => number;

/** What a parser returns in place of an end. */
export const NOT_EXACT = -1;

const TAB = 0x09;
const NEWLINE = 0x0a;

/** Whether a field ends before this byte. */
export const isDelimiter = (byte: number | undefined): boolean => byte === TAB || byte === NEWLINE;
