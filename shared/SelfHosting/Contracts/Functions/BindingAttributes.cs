namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>Says where a parameter's value comes from or goes to.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue | AttributeTargets.Property)]
public abstract class BindingAttribute : Attribute;

/// <summary>The parameter whose arrival starts the function.</summary>
public abstract class TriggerBindingAttribute : BindingAttribute;

/// <summary>A parameter that the host fills in beside the trigger.</summary>
public abstract class InputBindingAttribute : BindingAttribute;
