using System.Reflection;

namespace FunctionsBackup.Tests.SelfHosting.Contracts;

/// <summary>Public and protected members as lines of text that can be compared across assemblies.</summary>
internal static class ApiSignatures
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    /// <summary>Of a type: what it declares, or also what it inherits.</summary>
    public static IEnumerable<string> Of(Type type, bool inherited)
    {
        var flags = inherited ? All | BindingFlags.FlattenHierarchy : All | BindingFlags.DeclaredOnly;
        foreach (var member in type.GetMembers(flags))
            if (Line(member) is { } line) yield return $"{Name(type)}.{line}";
    }

    private static string? Line(MemberInfo member) => member switch
    {
        // Properties and operators are methods here; what a record or a struct has of its own is left out.
        MethodBase { IsPublic: false, IsFamily: false, IsFamilyOrAssembly: false } => null,
        MethodBase { Name: "Equals" or "GetHashCode" or "ToString" or "PrintMembers" or "get_EqualityContract" or "<Clone>$" or "Finalize" } => null,
        ConstructorInfo constructor when constructor.GetParameters() is [var single] && single.ParameterType == constructor.DeclaringType => null,
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{Modifier(method)}{Name(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)})",
        FieldInfo { IsPublic: true } field when field.Name != "value__" =>
            field.IsLiteral ? $"const {field.Name} = {field.GetRawConstantValue()}" : $"field {Name(field.FieldType)} {field.Name}",
        _ => null,
    };

    /// <summary>What a caller or a derived class depends on.</summary>
    private static string Modifier(MethodInfo method) => method switch
    {
        { IsStatic: true } => "static ",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } => "virtual ",
        _ => "",
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{Name(p.ParameterType)} {p.Name}{(p.IsOptional ? " = " + Default(p.RawDefaultValue) : "")}"));

    private static string Default(object? value) => value is null or Missing ? "default" : value.ToString()!;

    private static string Generic(MethodInfo method) =>
        method.IsGenericMethodDefinition ? $"<{string.Join(",", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    private static string Name(Type type)
    {
        if (type.IsGenericParameter) return type.Name;
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsByRef) return Name(type.GetElementType()!) + "&";
        if (!type.IsGenericType) return type.FullName!;
        var definition = type.GetGenericTypeDefinition().FullName!;
        return $"{definition[..definition.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(",", type.GetGenericArguments().Select(Name))}>";
    }
}
