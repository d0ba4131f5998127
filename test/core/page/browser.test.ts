/** The page as a person sees it, in Debian's Chromium. */
import { expect, test } from '@jest/globals';
import { LOOKS } from '../../../core/page/looks.ts';
import { reportPage } from '../../../core/page/page.ts';
import type { PartitionState } from '../../../core/partition.ts';
import { hasBrowser, inBrowser } from '../../support/browser.ts';
import { HOSTILE, months, pageOf, shownSet } from '../../support/page.ts';

const STATES: PartitionState[] = [
  ...(['dropped', 'dropped', 'dropped', 'dropped', 'verified', 'exported', 'blocked'] as const),
  ...(['detached', 'restored', 'released', 'missing', 'attached'] as const),
];
const PAGE = reportPage(
  pageOf(
    shownSet('event', 2016, [...months(100, 'dropped'), ...months(20, 'attached')], {
      changes: (index) => ({ copyBytes: 1, isCold: index < 50 }),
    }),
    shownSet('orders', 2024, STATES, {
      changes: (index) => ({ copyBytes: index < 2 ? 9 : null, isCold: index % 2 === 0 }),
    }),
    shownSet('invoice', 2000, months(26, 'attached'), { step: 12 }),
    shownSet(`${HOSTILE}${'w'.repeat(60)}`, 2025, ['dropped', 'blocked'], {
      blocked: ['PartitionRefused', `${HOSTILE} ${'w'.repeat(200)}`],
    }),
  ),
);

/** Skipped where there is no package of a browser, which local/setup.sh says. */
const look = hasBrowser ? test : test.skip;

/** Boxes of what is written, of an SVG by the character: text, left, top, right, bottom. */
const BOXES = `(() => {
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (node.data.trim() === '' || !node.parentElement.checkVisibility()) continue;
    const svg = node.parentElement.closest('svg text.c') !== null;
    const range = document.createRange();
    for (let at = 0; at < (svg ? node.length : 1); at += 1) {
      svg ? (range.setStart(node, at), range.setEnd(node, at + 1)) : range.selectNodeContents(node);
      for (const { left, top, right, bottom } of range.getClientRects())
        if (right - left > 0) boxes.push([node.data.slice(at, at + 20), left, top, right, bottom]);
    }
  }
  return boxes;
})()`;
type Box = readonly [string, number, number, number, number];

/** Pairs of boxes that share more than a pixel each way: rounding, and the room above and below letters, is none. */
function overlaps(boxes: readonly Box[]): string[] {
  const sorted = boxes.toSorted((a, b) => a[2] - b[2]);
  return sorted.flatMap((a, index) => {
    const found: string[] = [];
    for (const b of sorted.slice(index + 1)) {
      if (b[2] >= a[4] - 3) break;
      if (Math.min(a[3], b[3]) - Math.max(a[1], b[1]) > 1) found.push(`${a[0]} | ${b[0]}`);
    }
    return found;
  });
}

// Seen to fail with a step of 5 instead of 13 between cells, with labels of years of yearly partitions at every cell, and with names that do not break.
look.each([
  [1200, false],
  [1200, true],
  [390, false],
  [390, true],
])('nothing overlaps and nothing runs out of a window of %s pixels, folded or not', async (width, open) => {
  await inBrowser(open ? PAGE.replaceAll('<details>', '<details open>') : PAGE, async (page) => {
    await page.resize(width, 900);
    const boxes = await page.evaluate<Box[]>(BOXES);
    expect(boxes.length).toBeGreaterThan(200);
    expect(overlaps(boxes)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(page.complaints).toEqual([]);
    expect(await page.evaluate('document.scripts.length')).toBe(0);
  });
});

// Seen to fail with letters of #8a8f98.
look(
  'every state has a letter in a chart that reads on its fill as well in grey: a contrast of 7 to 1',
  async () => {
    await inBrowser(PAGE, async (page) => {
      const fills = await page.evaluate<Record<string, string>>(
        `Object.fromEntries([...document.querySelectorAll('.legend b')].map((b) => [b.className, getComputedStyle(b).backgroundColor]))`,
      );
      const ink = await page.evaluate<string>(`getComputedStyle(document.querySelector('svg .c')).fill`);
      expect(Object.keys(fills).sort()).toEqual(Object.keys(LOOKS).sort());
      for (const [look, fill] of Object.entries(fills))
        expect([look, contrast(ink, fill) >= 7]).toEqual([look, true]);
      const inCharts = await page.evaluate<string[]>(
        `[...document.querySelectorAll('path')].map((path) => getComputedStyle(path).fill)`,
      );
      expect(inCharts.filter((fill) => !Object.values(fills).includes(fill))).toEqual([]);
    });
  },
);

/** As WCAG 2.2 defines it, of two colours such as `rgb(1, 2, 3)`. It looks at brightness, and not at hues. */
function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [a, b]
    .map((colour) => {
      const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((each) => {
        const part = Number(each) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

// Seen to fail with summaries of tabindex="-1". What scrolls Chromium reaches without a tabindex, too; other browsers do not.
look('the keyboard reaches every link, all that unfolds and all that scrolls, and unfolds it', async () => {
  await inBrowser(PAGE, async (page) => {
    await page.resize(390, 900);
    const folded = `document.activeElement.matches('details:not([open]) > summary')`;
    const summaries = await page.evaluate<number>(`document.querySelectorAll('summary').length`);
    // Enter on each that is folded up: what is in it comes next.
    for (let turn = 0; turn < 40; turn += 1) {
      await page.press('Tab');
      if (await page.evaluate<boolean>(folded)) await page.press('Enter');
    }
    expect(await page.evaluate(`document.querySelectorAll('details[open]').length`)).toBe(summaries);
    // Marks each that is reached on the way round.
    for (let turn = 0; turn < 40; turn += 1) {
      await page.press('Tab');
      await page.evaluate(`document.activeElement.setAttribute('data-reached', '')`);
    }
    const missed = await page.evaluate<string[]>(
      `[...document.querySelectorAll('body *')].filter((each) => !each.hasAttribute('data-reached')
        && (each.matches('a, summary') || (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'auto')))
        .map((each) => each.outerHTML.slice(0, 60))`,
    );
    expect(missed).toEqual([]);
  });
});
