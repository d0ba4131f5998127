import vm from 'node:vm';
import { expect, test } from '@jest/globals';

test('a module of a package is compiled once, and has the globals, the state and the imports of each context', async () => {
  let scripts = 0;
  class CountedScript extends vm.Script {
    constructor(source: string, options?: vm.ScriptOptions) {
      super(source, options);
      scripts += 1;
    }
  }
  const { Script } = vm;
  Object.assign(vm, { Script: CountedScript });
  try {
    for (const name of ['first', 'second']) {
      const module: { exports?: { name: string; load: () => Promise<unknown> } } = {};
      const wrapper = vm.compileFunction(
        'module.exports = { name, load: () => import("other") };',
        ['module'],
        {
          filename: '/node_modules/compile-once/index.js',
          parsingContext: vm.createContext({ name }),
          importModuleDynamically: () => Promise.reject(new Error(`imported by ${name}`)),
        },
      );
      Reflect.apply(wrapper, undefined, [module]);
      expect(module.exports?.name).toBe(name);
      await expect(module.exports?.load()).rejects.toThrow(`imported by ${name}`);
    }
    expect(scripts).toBe(1);
  } finally {
    Object.assign(vm, { Script });
  }
});

test('a changed source is compiled again, and an error has the line and column of the module', () => {
  const run = (source: string): unknown => {
    const wrapper = vm.compileFunction(source, [], {
      filename: '/node_modules/compile-once/changed.js',
      parsingContext: vm.createContext(),
      importModuleDynamically: () => Promise.reject(new Error('no import')),
    });
    return Reflect.apply(wrapper, undefined, []);
  };
  expect(run('return 1;')).toBe(1);
  expect(run('return new Error("here").stack;')).toContain('/node_modules/compile-once/changed.js:1:8');
});
