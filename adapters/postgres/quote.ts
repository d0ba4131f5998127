/**
 * An identifier in quotes. COPY, aws_s3, pg_partman and ANALYZE take a name as text, in which the driver cannot quote it;
 * all other statements leave that to the driver or to `format('%I')`.
 */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
