/**
 * What a statement says of the periods that it needs, out of the tree that DuckDB makes of it. Only what is sure narrows
 * anything: a table that is read without a condition on its control column is read whole.
 */

/** A comparison with a constant, in the WHERE of the very SELECT that reads the table. */
export interface Condition {
  /** As it was written: the column, or alias and column. */
  readonly column: readonly string[];
  readonly operator: '<' | '<=' | '=' | '>=' | '>';
  readonly constant: Constant;
}

/** A constant as it is written, with the type that the statement gives it: DuckDB's name, VARCHAR where it leaves that open. */
export interface Constant {
  readonly text: string;
  readonly type: string;
}

/** A place at which a statement reads a table or view. */
export interface TableUse {
  readonly schema: string;
  readonly table: string;
  readonly alias: string;
  /** Whether other tables are read beside it, so that a column without an alias may be one of theirs. */
  readonly alone: boolean;
  readonly conditions: readonly Condition[];
}

type Node = Readonly<Record<string, unknown>>;

/** Every place at which a statement reads a table. */
export function tableUses(statement: unknown): TableUse[] {
  const uses: TableUse[] = [];
  visit(statement, undefined, uses);
  return readsByName(statement) ? uses.map((use) => ({ ...use, conditions: [] })) : uses;
}

/** Functions of FROM that make rows out of their arguments alone. */
const ROW_MAKERS = ['generate_series', 'json_each', 'json_tree', 'range', 'repeat', 'repeat_row', 'unnest'];

/** Whether another function stands in a FROM: `query_table('flights')`, `query` and their likes read whole views by a name. */
function readsByName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isNode(value) && value['type'] === 'TABLE_FUNCTION') {
    const { function: called } = value;
    const name = isNode(called) ? String(called['function_name']) : '';
    if (!ROW_MAKERS.includes(name.toLowerCase())) return true;
  }
  return Object.values(value).some(readsByName);
}

/** Names that the statement itself gives to tables, by WITH. */
export function commonTables(statement: unknown): string[] {
  if (typeof statement !== 'object' || statement === null) return [];
  return Object.entries(statement).flatMap(([name, value]: [string, unknown]) => {
    const map = name === 'cte_map' && isNode(value) && Array.isArray(value['map']) ? value['map'] : [];
    return [...map.map((each: unknown) => (isNode(each) ? String(each['key']) : '')), ...commonTables(value)];
  });
}

interface Scope {
  readonly conditions: readonly Condition[];
  readonly alone: boolean;
}

/** Scope `undefined` is that of a place where the conditions of a WHERE do not say which rows are read. */
function visit(value: unknown, scope: Scope | undefined, uses: TableUse[]): void {
  if (Array.isArray(value)) {
    for (const member of value) visit(member, undefined, uses);
    return;
  }
  if (!isNode(value)) return;
  // TABLESAMPLE and USING SAMPLE choose rows before WHERE does: of fewer archives, they would choose others.
  const sampled = value['sample'] !== undefined;
  if (value['type'] === 'BASE_TABLE') {
    const text = (name: string): string => (typeof value[name] === 'string' ? value[name] : '');
    const table = text('table_name');
    // `flights AS f(x, date)` gives its columns other names than those of the view.
    const renamed = Array.isArray(value['column_name_alias']) && value['column_name_alias'].length > 0;
    uses.push({
      schema: text('schema_name'),
      table,
      alias: text('alias') || table,
      alone: scope?.alone ?? false,
      conditions: renamed || sampled ? [] : (scope?.conditions ?? []),
    });
    return;
  }
  if (value['type'] === 'SELECT_NODE') {
    const { from_table: from, ...rest } = value;
    const alone = isNode(from) && from['type'] === 'BASE_TABLE';
    visit(from, { conditions: sampled ? [] : conditionsIn(value['where_clause']), alone }, uses);
    for (const member of Object.values(rest)) visit(member, undefined, uses);
    return;
  }
  // Of other joins (ASOF, POSITIONAL, SEMI …) what is left out on one side may change what is found on the other.
  const keeps =
    value['type'] === 'JOIN' &&
    !sampled &&
    value['ref_type'] === 'REGULAR' &&
    ['INNER', 'LEFT', 'RIGHT'].includes(String(value['join_type']));
  for (const [name, member] of Object.entries(value)) {
    visit(member, keeps && (name === 'left' || name === 'right') ? scope : undefined, uses);
  }
}

/** What must hold of every row: the members of an AND. */
function conditionsIn(clause: unknown): Condition[] {
  if (!isNode(clause)) return [];
  switch (clause['type']) {
    case 'CONJUNCTION_AND':
      return Array.isArray(clause['children']) ? clause['children'].flatMap(conditionsIn) : [];
    case 'COMPARE_BETWEEN':
      return [
        ...comparison(clause['input'], '>=', clause['lower']),
        ...comparison(clause['input'], '<=', clause['upper']),
      ];
    default: {
      const operator = OPERATORS[String(clause['type'])];
      if (operator === undefined) return [];
      return [
        ...comparison(clause['left'], operator, clause['right']),
        ...comparison(clause['right'], MIRRORED[operator], clause['left']),
      ];
    }
  }
}

const OPERATORS: Readonly<Record<string, Condition['operator']>> = {
  COMPARE_EQUAL: '=',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
};

const MIRRORED = { '<': '>', '<=': '>=', '=': '=', '>=': '<=', '>': '<' } as const;

function comparison(column: unknown, operator: Condition['operator'], constant: unknown): Condition[] {
  if (!isNode(column) || column['class'] !== 'COLUMN_REF') return [];
  const names = column['column_names'];
  const found = constantIn(constant);
  if (!Array.isArray(names) || found === null) return [];
  return [{ column: names.map(String), operator, constant: found }];
}

const PLAIN = ['VARCHAR', 'INTEGER', 'BIGINT', 'SMALLINT'];
/** Casts of a text, by DuckDB's names, with the names that columns of these types have in views. */
const CASTS: Readonly<Record<string, string>> = {
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMP',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMPTZ',
};

/** An integer, a text, or a text that is cast to a date or time. */
function constantIn(node: unknown): Constant | null {
  if (!isNode(node)) return null;
  if (node['type'] === 'OPERATOR_CAST' && node['try_cast'] !== true) {
    const { cast_type: type, child } = node;
    const cast = isNode(type) ? CASTS[String(type['id'])] : undefined;
    if (cast === undefined || !isNode(child) || child['type'] !== 'VALUE_CONSTANT') return null;
    const inner = constantIn(child);
    return inner?.type === 'VARCHAR' ? { text: inner.text, type: cast } : null;
  }
  const { value } = node;
  if (node['type'] !== 'VALUE_CONSTANT' || !isNode(value) || value['is_null'] !== false) return null;
  const { type, value: constant } = value;
  const id = isNode(type) ? String(type['id']) : '';
  if (!PLAIN.includes(id)) return null;
  return typeof constant === 'string' || typeof constant === 'number'
    ? { text: String(constant), type: id }
    : null;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
