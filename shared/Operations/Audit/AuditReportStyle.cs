namespace FunctionsBackup.Operations.Audit;

/// <summary>How the report looks, on a screen (light and dark) and on paper.</summary>
internal static class AuditReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1d232b; --paper: #fff; --line: #c9d1db; --soft: #f2f5f9; --good: #0b6b3a; --bad: #a40e26; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181d; --line: #3c4652; --soft: #1d232b; --good: #6fd49a; --bad: #ff9aa6; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        h1 { margin: 0; font-size: 1.8rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
        table { width: 100%; border-collapse: collapse; margin: 1rem 0; font-size: .86rem; }
        caption { text-align: left; padding: .4rem 0; font-weight: 600; }
        th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        thead th { background: var(--soft); } .n { text-align: right; font-variant-numeric: tabular-nums; }
        td p, td ul, td dl { margin: 0; } td ul { padding-left: 1.1rem; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .6rem; } dt { font-weight: 600; } dd { margin: 0; }
        code { font-family: ui-monospace, monospace; font-size: .92em; }
        .good { color: var(--good); } .bad { color: var(--bad); }
        tr.failed td:nth-child(3), tr.denied td:nth-child(3) { color: var(--bad); font-weight: 600; }
        @page { size: A4 landscape; margin: 12mm; }
        @media print {
          :root { color-scheme: light; --ink: #000; --paper: #fff; --line: #999; --soft: #eee; --good: #000; --bad: #000; }
          body { padding: 0; max-width: none; font-size: 9pt; } table { font-size: 7.5pt; }
          thead { display: table-header-group; } tr { break-inside: avoid; } h2 { break-after: avoid; }
        }
        """;
}
