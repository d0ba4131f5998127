/** How a value of PostgreSQL is held in Parquet. Each kind has one parser, one encoding and one renderer. */
export type ValueKind =
  | 'boolean'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float'
  | 'double'
  | 'decimal32'
  | 'decimal64'
  | 'decimal128'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'bytea'
  | 'text';

/** A column of the archive: its name, and its type as PostgreSQL's format_type() writes it. */
export interface SourceColumn {
  readonly name: string;
  readonly type: string;
}

/** A column of a Parquet copy. */
export interface CopyColumn extends SourceColumn {
  readonly kind: ValueKind;
  /** For decimals, 0 otherwise. */
  readonly precision: number;
  readonly scale: number;
  /** Position in the archive, from 1. Readers that follow renamed columns go by it. */
  readonly fieldId: number;
  /** Why the column is text though its type has a Parquet type; `null` where it is held by its own kind. */
  readonly fallback: string | null;
}

/** An element of a Parquet schema, in the words of the format. */
export interface ParquetElement {
  readonly name: string;
  readonly type: 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY';
  readonly type_length?: number;
  readonly repetition_type: 'OPTIONAL';
  readonly converted_type?: 'UTF8' | 'DATE' | 'DECIMAL' | 'TIMESTAMP_MICROS' | 'INT_16';
  readonly precision?: number;
  readonly scale?: number;
  readonly field_id: number;
  readonly logical_type?:
    | { readonly type: 'STRING' | 'DATE' }
    | { readonly type: 'DECIMAL'; readonly precision: number; readonly scale: number }
    | { readonly type: 'TIMESTAMP'; readonly isAdjustedToUTC: boolean; readonly unit: 'MICROS' };
}

/** Most digits of a Parquet DECIMAL that every reader takes. */
const MOST_DIGITS = 38;
const DIGITS_IN_INT32 = 9;
const DIGITS_IN_INT64 = 18;
const BYTES_OF_DECIMAL128 = 16;

const KINDS: Readonly<Record<string, ValueKind>> = {
  boolean: 'boolean',
  smallint: 'int16',
  integer: 'int32',
  bigint: 'int64',
  oid: 'int64',
  real: 'float',
  'double precision': 'double',
  date: 'date',
  bytea: 'bytea',
};

const TIMESTAMP = /^timestamp(?:\([0-6]\))? (with|without) time zone$/;
const NUMERIC = /^numeric\((\d+),(-?\d+)\)$/;

/**
 * How each column is held. A type that is not known, or that Parquet cannot hold exactly, is text: PostgreSQL's own.
 *
 * @param fallbacks columns that are text in this archive because of their values, and why
 */
export function mapColumns(
  columns: readonly SourceColumn[],
  fallbacks: ReadonlyMap<string, string> = new Map(),
): CopyColumn[] {
  return columns.map(({ name, type }, index) => {
    const fallback = fallbacks.get(name) ?? null;
    const text = { kind: 'text', precision: 0, scale: 0 } as const;
    return { name, type, ...(fallback === null ? kindOf(type) : text), fieldId: index + 1, fallback };
  });
}

/** The kind of a type, as far as the type alone decides. */
export function kindOf(type: string): Pick<CopyColumn, 'kind' | 'precision' | 'scale'> {
  const none = { precision: 0, scale: 0 };
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind !== undefined) return { kind, ...none };
  const [, zone] = TIMESTAMP.exec(type) ?? [];
  if (zone !== undefined) return { kind: zone === 'with' ? 'timestamptz' : 'timestamp', ...none };
  const [, digits, decimals] = NUMERIC.exec(type) ?? [];
  const [precision, scale] = [Number(digits), Number(decimals)];
  // PostgreSQL 15 has scales below 0 and above the precision, which a Parquet DECIMAL has not.
  if (digits === undefined || precision > MOST_DIGITS || scale < 0 || scale > precision) {
    return { kind: 'text', ...none };
  }
  if (precision <= DIGITS_IN_INT32) return { kind: 'decimal32', precision, scale };
  return { kind: precision <= DIGITS_IN_INT64 ? 'decimal64' : 'decimal128', precision, scale };
}

/** The schema that the footer of a copy must have, element by element, without its root. */
export function parquetElements(columns: readonly CopyColumn[]): ParquetElement[] {
  return columns.map((column) => ({
    name: column.name,
    repetition_type: 'OPTIONAL',
    field_id: column.fieldId,
    ...physicalType(column),
  }));
}

function physicalType({
  kind,
  precision,
  scale,
}: CopyColumn): Omit<ParquetElement, 'name' | 'repetition_type' | 'field_id'> {
  const decimal = {
    converted_type: 'DECIMAL',
    precision,
    scale,
    logical_type: { type: 'DECIMAL', precision, scale },
  } as const;
  const micros = (isAdjustedToUTC: boolean) =>
    ({ type: 'TIMESTAMP', isAdjustedToUTC, unit: 'MICROS' }) as const;
  switch (kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'int16':
      return { type: 'INT32', converted_type: 'INT_16' };
    case 'int32':
      return { type: 'INT32' };
    case 'int64':
      return { type: 'INT64' };
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'decimal32':
      return { type: 'INT32', ...decimal };
    case 'decimal64':
      return { type: 'INT64', ...decimal };
    case 'decimal128':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: BYTES_OF_DECIMAL128, ...decimal };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'timestamp':
      // The converted type alone would say that it is UTC.
      return { type: 'INT64', logical_type: micros(false) };
    case 'timestamptz':
      return { type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type: micros(true) };
    case 'bytea':
      return { type: 'BYTE_ARRAY' };
    case 'text':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  }
}
