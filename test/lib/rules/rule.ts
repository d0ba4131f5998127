/** A CloudFormation template, as far as rules look at it. */
export interface CloudTemplate {
  readonly Resources: Readonly<Record<string, CloudResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value?: unknown }>>;
}

/** One resource of a template. */
export interface CloudResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** A rule that every template of this stack keeps. Each has a file of its own, whose docstring names the source. */
export interface Rule {
  readonly name: string;
  /** What breaks the rule, one line for each finding. */
  find(template: CloudTemplate): string[];
  /** A template that breaks the rule. */
  readonly breaks: CloudTemplate;
  /** More of them, where a rule has several parts. */
  readonly alsoBreak?: readonly CloudTemplate[];
  /** A template that is almost the same and keeps the rule. */
  readonly keeps: CloudTemplate;
}

/** The resources of one type, by logical id. */
export function ofType(
  { Resources }: CloudTemplate,
  type: string,
): [string, Readonly<Record<string, unknown>>][] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) =>
    Type === type ? [[id, Properties]] : [],
  );
}

/** The logical id that a `Ref` or `Fn::GetAtt` names; `undefined` for anything else, such as a literal ARN. */
export function referenceOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: unknown; 'Fn::GetAtt'?: unknown };
  if (typeof Ref === 'string') return Ref;
  if (Array.isArray(attribute)) return String(attribute[0]);
  return typeof attribute === 'string' ? attribute.split('.')[0] : undefined;
}

/** A text with each reference as `{LogicalId}` or `{LogicalId.Attribute}`, for comparing and for messages. */
export function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const { 'Fn::Join': join } = (value ?? {}) as { 'Fn::Join'?: readonly [string, readonly unknown[]] };
  if (join !== undefined) return join[1].map(textOf).join(join[0]);
  const { Ref, 'Fn::GetAtt': attribute } = (value ?? {}) as { Ref?: string; 'Fn::GetAtt'?: string[] };
  if (Ref !== undefined) return `{${Ref}}`;
  return attribute === undefined ? JSON.stringify(value) : `{${attribute.join('.')}}`;
}

/** One value as a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
