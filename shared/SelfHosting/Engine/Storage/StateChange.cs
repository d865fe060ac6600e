namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>A change of the state file. All calls are made by the writer's thread.</summary>
internal abstract class StateChange
{
    /// <summary>Within the transaction.</summary>
    public abstract void Apply(StateTables tables);

    /// <summary>After the commit.</summary>
    public abstract void Committed();

    /// <summary>Instead of the commit: nothing was changed.</summary>
    public abstract void Failed(Exception exception);
}

/// <summary>Is told what the writer saw, on its thread.</summary>
internal interface IStateObserver
{
    /// <summary>This process or another one has added messages.</summary>
    void InboxChanged(StateTables tables);

    /// <summary>Every now and then, also when nothing happens.</summary>
    void Tick();

    /// <summary>The state file could not be written.</summary>
    void WriterFailed(Exception exception);
}
