/** Light fills of different brightness under dark letters: the letter, and not the colour, says how a period stands. */
export const PAGE_STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.8rem 0 .2rem;overflow-wrap:anywhere}p{margin:.3rem 0;overflow-wrap:anywhere}
svg{display:block;max-width:100%;height:auto;margin:.4rem 0}svg text{font:10px ui-monospace,monospace;fill:#1b1f24}
svg .c{font-size:11px;font-weight:600;text-anchor:middle}table{border-collapse:collapse;font-size:13px}
td,th{padding:.15rem 1rem .15rem 0;text-align:left;vertical-align:top;font-weight:400;white-space:nowrap}.sets th,[colspan]{white-space:normal;overflow-wrap:anywhere;min-width:9rem}
th[scope=col]{color:#57606a}.wide{overflow-x:auto}.wide table{width:100%}
dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;margin:0;font-size:13px}dt{color:#57606a}dd{margin:0;min-width:0;overflow-wrap:anywhere}
td dl{margin:0 0 .6rem 1rem}code,pre{font:12px/1.5 ui-monospace,monospace}pre{overflow-x:auto;background:#f6f8fa;padding:.6rem}
.facts{font-size:15px}.runs{font-size:13px;color:#57606a}.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;padding:0;font-size:13px}
.legend b{font:600 12px/1.4 ui-monospace,monospace;display:inline-block;width:1.4em;text-align:center;background:var(--c)}path{fill:var(--c)}
.attached{--c:#dbe9f9}.waiting{--c:#f8e7b8}.quarantined{--c:#f5cf97}.proven{--c:#c9e8cf}.proven-cold{--c:#b9d3ea}.queryable{--c:#7fcb97}
.queryable-cold{--c:#8ab8dd}.restored{--c:#dccdf0}.released{--c:#ececec}.missing{--c:#d2d2d2}.blocked{--c:#f0a3a0}
summary{cursor:pointer;padding:.15rem 0}:focus-visible{outline:3px solid #0b57d0;outline-offset:1px}`;
