namespace FunctionsBackup.Operations.Audit;

/// <summary>A requirement of a framework that a kind of record is evidence for.</summary>
/// <param name="Framework">One of <see cref="AuditControls.Frameworks"/>.</param>
/// <param name="Id">As the framework numbers it.</param>
/// <param name="About">What it asks for, in a few words of ours.</param>
/// <param name="Kinds">Kinds of actions (before the dot), or whole actions, whose records support it; <c>*</c>: all.</param>
public sealed record AuditControl(string Framework, string Id, string About, IReadOnlyList<string> Kinds)
{
    /// <summary>Only what somebody did, not what the schedule or the program did by itself.</summary>
    public bool ByPeople { get; init; }

    public bool Takes(AuditEntry entry) =>
        Takes(entry.Action) && !(ByPeople && entry.Actor?.Kind is AuditActorKind.Schedule or AuditActorKind.System);

    private bool Takes(string action) => Kinds.Any(k =>
        k == "*" || k == action || (action.StartsWith(k, StringComparison.Ordinal) && action.Length > k.Length && action[k.Length] == '.'));
}

/// <summary>
/// Which requirements the records support. They are evidence that something was done, not a certification: whether a requirement is met
/// depends on people, processes and systems that this log knows nothing of.
/// </summary>
public static class AuditControls
{
    public const string Soc2 = "SOC 2";
    public const string Hipaa = "HIPAA";
    public const string Gdpr = "GDPR";
    public const string Pci = "PCI DSS";

    /// <summary>With the version that the numbers are of.</summary>
    public static IReadOnlyList<(string Name, string Version)> Frameworks { get; } =
    [
        (Soc2, "SOC 2, Trust Services Criteria of 2017"), (Hipaa, "HIPAA Security Rule, 45 CFR Part 164 Subpart C"),
        (Gdpr, "GDPR, Regulation (EU) 2016/679"), (Pci, "PCI DSS v4.0.1"),
    ];

    public static IReadOnlyList<AuditControl> All { get; } =
    [
        new(Soc2, "CC6.1", "Logical access is restricted; keys that protect data are managed", ["access", "api_key", "key"]),
        new(Soc2, "CC6.2", "Access is given to those who were authorised, and taken back", ["api_key", "key.add", "key.remove"]),
        new(Soc2, "CC6.3", "Access follows roles and is changed with them", ["api_key", "key.add", "key.remove"]),
        new(Soc2, "CC7.1", "Changes of configuration are noticed", ["configuration"]),
        new(Soc2, "CC7.2", "Components are watched for anomalies", ["anomaly", "access", "verification", "audit.lost"]),
        new(Soc2, "CC7.3", "Events are judged, and acted upon where needed", ["anomaly.decision"]),
        new(Soc2, "CC7.5", "What was hit by an incident is recovered", ["restore.run", "repository.repair", "repository.heal"]),
        new(Soc2, "CC8.1", "Changes are recorded", ["configuration"]),
        new(Soc2, "A1.2", "Data is backed up, and means of recovery are kept",
            ["backup", "repository", "retention", "verification"]),
        new(Soc2, "A1.3", "Recovery is tested", ["restore_test"]),
        new(Soc2, "C1.2", "Confidential information is disposed of", ["erasure", "retention.prune"]),
        new(Hipaa, "164.308(a)(1)(ii)(D)", "Information system activity review", ["audit.verify", "audit.export", "audit.list"]),
        new(Hipaa, "164.308(a)(5)(ii)(C)", "Log-in monitoring", ["access"]),
        new(Hipaa, "164.308(a)(6)(ii)", "Response to security incidents", ["anomaly"]),
        new(Hipaa, "164.308(a)(7)(ii)(A)", "Data backup plan", ["backup", "repository", "verification"]),
        new(Hipaa, "164.308(a)(7)(ii)(B)", "Disaster recovery plan", ["restore.run", "repository.repair", "repository.heal"]),
        new(Hipaa, "164.308(a)(7)(ii)(D)", "Testing of contingency plans", ["restore_test"]),
        new(Hipaa, "164.312(a)(1)", "Access control", ["access", "api_key", "key"]),
        new(Hipaa, "164.312(a)(2)(iv)", "Encryption and decryption", ["key", "repository.init"]),
        new(Hipaa, "164.312(b)", "Audit controls", ["*"]),
        new(Hipaa, "164.312(c)(2)", "Mechanism to authenticate that data was not altered", ["verification", "audit.verify", "repository.heal"]),
        new(Hipaa, "164.312(d)", "Person or entity authentication", ["access", "api_key"]),
        new(Gdpr, "Art. 5(1)(e)", "Storage limitation", ["retention", "erasure"]),
        new(Gdpr, "Art. 5(2)", "Accountability", ["*"]),
        new(Gdpr, "Art. 17", "Erasure", ["erasure"]),
        new(Gdpr, "Art. 30", "Input for records of processing: time limits for erasure, security measures",
            ["retention", "erasure", "configuration"]),
        new(Gdpr, "Art. 32(1)(a)", "Encryption", ["key", "repository.init"]),
        new(Gdpr, "Art. 32(1)(b)", "Confidentiality, integrity, availability and resilience",
            ["access", "api_key", "verification", "repository", "anomaly"]),
        new(Gdpr, "Art. 32(1)(c)", "Availability restored in time after an incident", ["backup", "restore.run"]),
        new(Gdpr, "Art. 32(1)(d)", "Regular testing of the measures", ["restore_test", "verification"]),
        new(Pci, "3.2.1", "Data is kept no longer than needed", ["retention", "erasure"]),
        new(Pci, "3.7.4", "Keys are changed at the end of their time", ["key.rotate"]),
        new(Pci, "3.7.5", "Keys are retired and replaced", ["key.remove", "key.rotate"]),
        new(Pci, "10.2.1.1", "Access of individuals to data", ["restore.run"]),
        new(Pci, "10.2.1.2", "Actions of those with administrative access", ["*"]) { ByPeople = true },
        new(Pci, "10.2.1.3", "Access to audit logs", ["audit.verify", "audit.export", "audit.list"]),
        new(Pci, "10.2.1.4", "Invalid logical access attempts", ["access"]),
        new(Pci, "10.2.1.5", "Changes of credentials", ["api_key", "key"]),
        new(Pci, "10.2.1.6", "Starting, stopping and pausing of logs", ["serve", "audit.lost"]),
        new(Pci, "10.2.2", "Who, what, when, from where, with what result, on what", ["*"]),
        new(Pci, "10.3.4", "Changes of audit logs are noticed", ["audit.verify"]),
        new(Pci, "12.10.1", "Incident response with recovery and backup", ["backup", "restore.run"]),
        new(Pci, "12.10.2", "The plan is tested", ["restore_test"]),
        new(Pci, "12.10.5", "Alerts are responded to", ["anomaly"]),
    ];

    /// <summary>What an entry supports.</summary>
    public static IEnumerable<AuditControl> Of(AuditEntry entry) => All.Where(c => c.Takes(entry));
}
