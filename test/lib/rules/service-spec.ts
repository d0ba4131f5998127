import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { CloudTemplate, Rule } from './rule.ts';

const spec = loadAwsServiceSpecSync();
type ResourceType = ReturnType<typeof spec.all<'resource'>>[number];
type Property = ResourceType['properties'][string];
type PropertyType = Property['type'];

const types = new Map(spec.all('resource').map((type) => [type.cloudFormationType, type]));

/** Types that CloudFormation does not know: custom resources, and what the CDK adds about itself. */
const NOT_OF_AWS = /^(Custom::|AWS::CDK::)/;

/**
 * Every resource is of a type that CloudFormation knows, with properties that the type has, of the right form, and with
 * all that it requires.
 *
 * Source: `@aws-cdk/aws-service-spec`, which is made of the resource schemas of the CloudFormation registry.
 */
export const serviceSpec: Rule = {
  name: 'every property is one that CloudFormation knows',
  find: ({ Resources }) =>
    Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
      if (NOT_OF_AWS.test(Type)) return [];
      const type = types.get(Type);
      return type === undefined
        ? [`${id}: there is no type ${Type}`]
        : problemsOfAll(Properties, type.properties, `${id} (${Type})`);
    }),
  breaks: withMemory('a lot'),
  keeps: withMemory(256),
};

function problemsOfAll(
  value: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, Property>>,
  path: string,
): string[] {
  const missing = Object.entries(properties)
    .filter(([name, { required }]) => required === true && !(name in value))
    .map(([name]) => `${path}: ${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const property = properties[name];
    return property === undefined
      ? [`${path}.${name}: there is no such property`]
      : problemsOf(member, property.type, `${path}.${name}`);
  });
  return [...missing, ...wrong];
}

function problemsOf(value: unknown, type: PropertyType, path: string): string[] {
  if (isIntrinsic(value)) return [];
  const refuse = (isRight: boolean): string[] =>
    isRight ? [] : [`${path}: ${JSON.stringify(value)} is no ${type.type}`];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  switch (type.type) {
    case 'string':
      return refuse(
        ['string', 'number', 'boolean'].includes(typeof value) &&
          (type.allowedValues === undefined || type.allowedValues.includes(String(value))),
      );
    case 'number':
    case 'integer':
      return refuse(value !== '' && !Number.isNaN(Number(value)));
    case 'boolean':
      return refuse(['true', 'false'].includes(String(value)));
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((member, index) => problemsOf(member, type.element, `${path}[${String(index)}]`))
        : refuse(false);
    case 'map':
      return isObject
        ? Object.entries(value).flatMap(([key, member]) => problemsOf(member, type.element, `${path}.${key}`))
        : refuse(false);
    case 'tag':
      return refuse(isObject && 'Key' in value && 'Value' in value);
    case 'ref':
      return isObject
        ? problemsOfAll(
            value as Record<string, unknown>,
            spec.get('typeDefinition', type.reference.$ref).properties,
            path,
          )
        : refuse(false);
    case 'union': {
      const all = type.types.map((each) => problemsOf(value, each, path));
      return all.some((problems) => problems.length === 0) ? [] : (all[0] ?? []);
    }
    default:
      return [];
  }
}

function isIntrinsic(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^(Ref|Fn::.*)$/.test(keys[0] ?? '');
}

function withMemory(MemorySize: unknown): CloudTemplate {
  const Properties = { Code: { ZipFile: '' }, Role: 'role', MemorySize };
  return { Resources: { Function: { Type: 'AWS::Lambda::Function', Properties } } };
}
