"""The style sheet of a report: cards on a grid; below 40rem of width one column, and tables as cards."""

STYLE = """
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0;background:var(--page);color:var(--ink)}
header,main{max-width:82rem;margin:0 auto;padding:1rem}header p{color:var(--dim);margin:.2rem 0}a{color:var(--link)}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.2rem;margin:0 0 .2rem;overflow-wrap:anywhere}
h3{font-size:1rem;margin:0 0 .5rem}
small,.dim{color:var(--dim)}code{overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--grid);border-radius:.6rem;padding:1rem;min-width:0}
.folders{display:grid;gap:1.2rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));align-items:start}
.folder{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem;min-width:0}
.folders.one .folder{display:flex;flex-wrap:wrap;align-items:stretch}.folders.one .card{flex:1 1 34rem;max-width:100%}
.folders.one .whole{flex-basis:100%}.card>:last-child{margin-bottom:0}.wide,.narrow{max-width:44rem;margin:0 auto}
.all{margin-bottom:1.2rem}.scroll{overflow-x:auto}.plan{display:block}
table{border-collapse:collapse;width:100%;font-size:.93rem}caption{text-align:left;color:var(--dim);padding-bottom:.3rem}
th,td{border-bottom:1px solid var(--grid);padding:.35rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.id{white-space:nowrap}
thead th{color:var(--dim)}
.stack td,.stack th{padding:.35rem .3rem;font-size:.88rem}.stack th[scope=row]{min-width:4.4rem}
summary{cursor:pointer;padding:.2rem 0}
details table{margin-top:.4rem}ul.plain{margin:.2rem 0;padding-left:1.2rem}
@media(max-width:40rem){.stack thead{display:block;position:absolute;width:1px;height:1px;overflow:hidden}
.stack tr{display:block;border-bottom:2px solid var(--grid);padding:.4rem 0}.stack tr:last-child{border:0}
.stack td,.stack th[scope=row]{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.1rem 0;text-align:right;
white-space:normal}.stack td::before{content:attr(data-label);color:var(--dim);text-align:left}.id{white-space:normal}
.stack th[scope=row]{text-align:left}}
"""
