import ts from 'typescript';
import type { Mutant } from './mutant.ts';

/** Operators and what each becomes: the opposite, and where there is a boundary the boundary moved. */
const OPERATORS: Readonly<Partial<Record<ts.SyntaxKind, readonly string[]>>> = {
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: ['!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: ['==='],
  [ts.SyntaxKind.LessThanToken]: ['<=', '>='],
  [ts.SyntaxKind.LessThanEqualsToken]: ['<', '>'],
  [ts.SyntaxKind.GreaterThanToken]: ['>=', '<='],
  [ts.SyntaxKind.GreaterThanEqualsToken]: ['>', '<'],
  [ts.SyntaxKind.AmpersandAmpersandToken]: ['||'],
  [ts.SyntaxKind.BarBarToken]: ['&&'],
  [ts.SyntaxKind.PlusToken]: ['-'],
  [ts.SyntaxKind.MinusToken]: ['+'],
  [ts.SyntaxKind.AsteriskToken]: ['/'],
  [ts.SyntaxKind.AsteriskAsteriskToken]: ['*'],
  [ts.SyntaxKind.PlusEqualsToken]: ['-='],
  [ts.SyntaxKind.MinusEqualsToken]: ['+='],
};

/** Methods that have an opposite. */
const METHODS: Readonly<Record<string, string>> = {
  every: 'some',
  some: 'every',
  min: 'max',
  max: 'min',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  all: 'allSettled',
};

/** Methods of a list that a chain can do without. */
const LINKS = new Set(['filter', 'slice', 'sort', 'toSorted', 'reverse']);

/**
 * Every change of one place of a module: conditions negated and made constant, boundaries moved, statements left out,
 * constants and texts swapped. Types, imports, log lines and the words of an error are left alone: they decide nothing.
 */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const change = (node: ts.Node, replacement: string, what: string): void => {
    const start = node.getStart(source);
    const { line } = source.getLineAndCharacterOfPosition(start);
    mutants.push({ file, line: line + 1, start, end: node.getEnd(), replacement, what });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isTypeAliasDeclaration(node) || ts.isExportDeclaration(node) || isLogging(node)) return;
    changesOf(node, change);
    if (ts.isNewExpression(node) && node.expression.getText(source).endsWith('Error')) {
      const [code] = node.arguments ?? [];
      if (code !== undefined) visit(code);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}

type Change = (node: ts.Node, replacement: string, what: string) => void;

function changesOf(node: ts.Node, change: Change): void {
  if (ts.isBinaryExpression(node)) changeOperator(node, change);
  else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    change(node, node.operand.getText(), 'not left out');
  } else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) changeCondition(node.expression, change);
  else if (ts.isConditionalExpression(node)) changeCondition(node.condition, change);
  else if (ts.isForStatement(node) && node.condition !== undefined) change(node.condition, 'false', 'never');
  else if (ts.isNumericLiteral(node)) change(node, `(${node.text} + 1)`, 'number');
  else if (ts.isBigIntLiteral(node)) change(node, `(${node.text} + 1n)`, 'number');
  else if (ts.isStringLiteral(node) && !ts.isPropertyAssignment(node.parent)) {
    change(node, node.text === '' ? `'mutated'` : `''`, 'text');
  } else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, 'false', 'constant');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, 'true', 'constant');
  else if (ts.isCallExpression(node)) changeCall(node, change);
  else changeStatement(node, change);
}

function changeOperator({ left, operatorToken, right }: ts.BinaryExpression, change: Change): void {
  for (const instead of OPERATORS[operatorToken.kind] ?? []) change(operatorToken, instead, 'operator');
  if (operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return;
  change(operatorToken.parent, left.getText(), 'default left out');
  change(operatorToken.parent, right.getText(), 'default always');
}

function changeCondition(condition: ts.Expression, change: Change): void {
  change(condition, 'true', 'always');
  change(condition, 'false', 'never');
}

function changeCall(call: ts.CallExpression, change: Change): void {
  if (!ts.isPropertyAccessExpression(call.expression)) return;
  const { name, expression } = call.expression;
  const opposite = METHODS[name.text];
  if (opposite !== undefined) change(name, opposite, 'method');
  if (LINKS.has(name.text)) change(call, expression.getText(), `${name.text} left out`);
}

function changeStatement(node: ts.Node, change: Change): void {
  if (ts.isExpressionStatement(node)) change(node, ';', 'statement left out');
  else if (ts.isThrowStatement(node)) change(node, ';', 'throw left out');
  else if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) change(node, ';', 'statement left out');
  else if (ts.isReturnStatement(node) && node.expression !== undefined) {
    change(node.expression, 'undefined', 'returns nothing');
  } else if (ts.isCaseClause(node)) change(node, '', 'case left out');
}

/** What is logged decides nothing. */
function isLogging(node: ts.Node): boolean {
  return ts.isExpressionStatement(node) && /^(?:\w+\.)*log\./.test(node.getText());
}
