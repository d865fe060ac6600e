namespace FunctionsBackup.SelfHosting.Hosting.Access;

/// <summary>What a key allows; each role includes the ones before it.</summary>
public enum Role
{
    /// <summary>Looks.</summary>
    Viewer = 1,

    /// <summary>Starts and stops work.</summary>
    Operator = 2,

    /// <summary>Decides where a human must.</summary>
    Approver = 3,
}
