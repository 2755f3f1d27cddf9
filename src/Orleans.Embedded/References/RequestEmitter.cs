using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Runtime;

/// <summary>An emitted request type: how to make it, fill it and send it.</summary>
internal sealed record RequestType(ConstructorInfo Constructor, FieldInfo[] Arguments, FieldInfo Method, MethodInfo Send);

/// <summary>Emits the request type of a method.</summary>
internal static class RequestEmitter
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    public static RequestType Emit(ModuleBuilder module, string name, Type interfaceType, MethodInfo method)
    {
        var shape = ShapeOf(interfaceType, method);
        var type = module.DefineType(name, TypeAttributes.Public | TypeAttributes.Sealed, shape.Base);
        var arguments = method.GetParameters()
            .Select((parameter, i) => type.DefineField($"Argument{i}", parameter.ParameterType, FieldAttributes.Public))
            .ToArray();
        type.DefineField("Shared", typeof(GrainMethod), FieldAttributes.Public | FieldAttributes.Static);
        type.DefineDefaultConstructor(MethodAttributes.Public);

        var begin = shape.Base.GetMethod(shape.Begin, Hidden, [typeof(object)])!;
        var overriding = type.DefineMethod(
            begin.Name,
            MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.Final,
            begin.ReturnType,
            [typeof(object)]);
        var code = overriding.GetILGenerator();

        // No cast: the directory holds only objects that implement the interface.
        code.Emit(OpCodes.Ldarg_1);
        foreach (var argument in arguments)
        {
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldfld, argument);
        }

        code.Emit(OpCodes.Callvirt, method);
        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(overriding, begin);

        if (Array.Find(arguments, argument => argument.FieldType == typeof(CancellationToken)) is { } token)
        {
            EmitCancellation(type, token);
        }

        var created = type.CreateType();
        var shared = new GrainMethod(interfaceType, method);
        shared.Bind(created);
        created.GetField("Shared")!.SetValue(null, shared);
        return new RequestType(
            created.GetConstructor(Type.EmptyTypes)!,
            [.. arguments.Select(argument => created.GetField(argument.Name)!)],
            created.GetField("Shared")!,
            shape.Send);
    }

    private static void EmitCancellation(TypeBuilder type, FieldInfo token)
    {
        var getter = typeof(GrainRequest).GetProperty(nameof(GrainRequest.CancellationArgument))!.GetMethod!;
        var overriding = type.DefineMethod(
            getter.Name,
            MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.SpecialName,
            typeof(CancellationToken),
            Type.EmptyTypes);
        var code = overriding.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldfld, token);
        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(overriding, getter);

        var setter = typeof(GrainRequest).GetProperty(nameof(GrainRequest.CancellationArgument))!.SetMethod!;
        overriding = type.DefineMethod(
            setter.Name,
            MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.SpecialName,
            typeof(void),
            [typeof(CancellationToken)]);
        code = overriding.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Stfld, token);
        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(overriding, setter);
    }

    private static (Type Base, string Begin, MethodInfo Send) ShapeOf(Type interfaceType, MethodInfo method)
    {
        if (method.IsGenericMethodDefinition || Array.Exists(method.GetParameters(), parameter => parameter.ParameterType.IsByRef))
        {
            throw Unsupported(interfaceType, method, "generic methods and parameters by reference can't be sent to a grain");
        }

        var result = method.ReturnType;
        if (result == typeof(Task))
        {
            return (typeof(PlainTaskRequest), "Begin", SendMethod(nameof(GrainReference.Send), typeof(Nothing)));
        }

        if (result == typeof(ValueTask))
        {
            return (typeof(PlainValueTaskRequest), "BeginValue", SendMethod(nameof(GrainReference.SendPlainValue), null));
        }

        if (result == typeof(void))
        {
            return typeof(IGrainObserver).IsAssignableFrom(interfaceType)
                ? (typeof(VoidRequest), "BeginVoid", SendMethod(nameof(GrainReference.SendVoid), null))
                : throw Unsupported(interfaceType, method, "only observers have methods without a result; use Task and [OneWay]");
        }

        var definition = result.IsGenericType ? result.GetGenericTypeDefinition() : null;
        if (definition == typeof(Task<>))
        {
            var type = result.GenericTypeArguments[0];
            return (typeof(TaskRequest<>).MakeGenericType(type), "Begin", SendMethod(nameof(GrainReference.Send), type));
        }

        if (definition == typeof(ValueTask<>))
        {
            var type = result.GenericTypeArguments[0];
            return (typeof(ValueTaskRequest<>).MakeGenericType(type), "BeginValue", SendMethod(nameof(GrainReference.SendValue), type));
        }

        throw Unsupported(interfaceType, method, $"a grain method returns Task or ValueTask, not {result}");
    }

    private static MethodInfo SendMethod(string name, Type? argument)
    {
        var method = typeof(GrainReference).GetMethod(name, Hidden)!;
        return argument is null ? method : method.MakeGenericMethod(argument);
    }

    private static NotSupportedException Unsupported(Type interfaceType, MethodInfo method, string reason) =>
        new($"{interfaceType}.{method.Name}: {reason} (the embedded runtime).");
}
