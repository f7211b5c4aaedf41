/** One style sheet: light and dark by the reader's setting, one column on a phone. */
export const styleSheet = `
:root {
  --ground: #fbfaf8; --raised: #ffffff; --ink: #1c1b19; --soft: #5f5b54; --line: #e4e0d8; --accent: #0b6e6e; --code: #f1eee8;
  --get: #0b6e6e; --put: #8a5a00; --post: #2f5fb3; --patch: #7a3fa0; --delete: #b3362b; --shadow: 0 1px 2px rgb(0 0 0 / .05), 0 4px 14px rgb(0 0 0 / .04);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #151618; --raised: #1d1f22; --ink: #ebe9e4; --soft: #a5a199; --line: #32353a; --accent: #5cc7c0; --code: #26292d;
    --get: #5cc7c0; --put: #e0ab52; --post: #86aef2; --patch: #c79be6; --delete: #f0877c; --shadow: none;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
code, .method, .status, .type { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
code { background: var(--code); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 3px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.bar { position: sticky; top: 0; z-index: 1; display: flex; gap: .5rem 1.5rem; align-items: center; padding: .75rem 1.25rem; background: var(--raised); border-bottom: 1px solid var(--line); overflow-x: auto; }
.bar nav { display: flex; gap: .25rem; }
.bar a { color: var(--soft); text-decoration: none; white-space: nowrap; padding: .25rem .6rem; border-radius: 6px; }
.bar a:hover { color: var(--ink); }
.bar a[aria-current] { color: var(--ink); background: var(--code); font-weight: 600; }
.bar .brand { color: var(--ink); font-weight: 700; letter-spacing: -.01em; padding-left: 0; }
h1 { font-size: clamp(1.6rem, 4vw, 2.2rem); line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1rem; text-wrap: balance; }
h1 small { font-size: .5em; font-weight: 500; color: var(--soft); letter-spacing: 0; }
main > p, .lead, section > p { max-width: 72ch; }
.lead { color: var(--soft); font-size: 1.1rem; }
.index { max-width: 68rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1.25rem; margin-top: 2rem; }
.card { display: flex; flex-direction: column; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.4rem; color: inherit; text-decoration: none; box-shadow: var(--shadow); }
.card:hover { border-color: var(--accent); }
.card h2 { margin: 0 0 .5rem; font-size: 1.15rem; }
.card p { margin: 0 0 .75rem; color: var(--soft); font-size: .95rem; }
.card .more { margin: auto 0 0; color: var(--accent); font-weight: 600; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 84rem; margin: 0 auto; padding: 0 1.25rem 5rem; }
.columns main { padding-top: 1.5rem; min-width: 0; }
.menu { border: 1px solid var(--line); border-radius: 10px; background: var(--raised); padding: .6rem 1rem; margin-top: 1rem; }
.menu summary { cursor: pointer; font-weight: 600; }
.menu h2 { font-size: .75rem; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); margin: 1rem 0 .35rem; }
.menu ul { list-style: none; margin: 0; padding: 0; }
.menu li a { display: flex; gap: .5rem; align-items: baseline; padding: .28rem 0; font-size: .9rem; color: var(--ink); text-decoration: none; overflow-wrap: anywhere; }
.menu li a:hover { color: var(--accent); }
.menu .method { flex: 0 0 3rem; border: 0; padding: 0; background: none; }
@media (min-width: 60rem) {
  .columns { grid-template-columns: 18.5rem minmax(0, 1fr); gap: 2rem; }
  aside { position: sticky; top: 3.6rem; align-self: start; max-height: calc(100vh - 3.6rem); overflow-y: auto; padding-bottom: 2rem; }
  .menu { border: 0; background: none; padding: 0; margin-top: 1.5rem; }
  .menu summary { display: none; }
}
@media (max-width: 59.99rem) { .menu nav { max-height: 40vh; overflow-y: auto; } }
.schemes { color: var(--soft); padding-left: 1.2rem; }
.raw { font-weight: 600; }
.tag { margin: 3rem 0 .25rem; font-size: 1.35rem; letter-spacing: -.01em; }
.tag::first-letter { text-transform: uppercase; }
.operation, .schema { background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.3rem 1.3rem; margin: 1.1rem 0; box-shadow: var(--shadow); }
.operation:target, .schema:target { border-color: var(--accent); }
.operation h3, .schema h3 { margin: 0; font-size: 1.02rem; display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; }
.path { background: none; padding: 0; font-size: 1rem; font-weight: 600; }
.summary { margin: .5rem 0 .2rem; font-size: 1.02rem; max-width: 72ch; }
.facts { margin: 0 0 .6rem; color: var(--soft); font-size: .9rem; }
h4 { margin: 1.2rem 0 .4rem; font-size: .75rem; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); }
.method { font-weight: 700; padding: .1em .5em; border: 1px solid currentColor; border-radius: 5px; font-size: .75rem; }
.get { color: var(--get); } .put { color: var(--put); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
dl { margin: 0; }
.fields { display: grid; grid-template-columns: minmax(9rem, 14rem) minmax(0, 1fr); font-size: .93rem; }
.fields > dt, .fields > dd { padding: .45rem 0; border-top: 1px solid var(--line); margin: 0; overflow-wrap: anywhere; }
.fields > dd { padding-left: 1rem; }
.fields .fields { margin-top: .4rem; border-left: 2px solid var(--line); padding-left: .9rem; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); }
.where, .limits { color: var(--soft); font-size: .85em; }
.kind { color: var(--accent); }
.answers { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .35rem 1rem; }
.answers > dt { padding-top: .1rem; } .answers > dd { margin: 0; } .answers dd > p { margin: 0 0 .25rem; }
.status { font-weight: 700; } .s2 { color: var(--get); } .s3 { color: var(--post); } .s4 { color: var(--put); } .s5 { color: var(--delete); } .s0 { color: var(--soft); }
.content { margin: .2rem 0 .5rem; } .content p { margin: 0; }
.type { color: var(--soft); font-size: .8rem; } .line { margin: 0; }
@media (max-width: 40rem) {
  .bar { position: static; flex-wrap: wrap; } .bar nav { flex-wrap: wrap; margin-left: -.6rem; } .bar a { padding: .2rem .6rem; }
  html { scroll-padding-top: 1rem; }
  .fields, .fields .fields { grid-template-columns: minmax(0, 1fr); }
  .fields > dd { padding: 0 0 .5rem; border: 0; }
  .operation, .schema { padding: .9rem 1rem 1.1rem; }
}
@media print { .bar, aside { display: none; } .operation, .schema { break-inside: avoid; box-shadow: none; } }
`;
