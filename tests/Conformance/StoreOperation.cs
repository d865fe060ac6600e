namespace FunctionsBackup.Tests.Conformance;

public enum StoreOperation
{
    Create,
    Find,
    Read,
    List,
    Delete,
}
