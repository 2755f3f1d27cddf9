using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Runtime;

/// <summary>
/// Emits, for each grain interface, a class that implements it by sending requests, and for each method a request type
/// that holds the arguments in fields and calls the method. Nothing is boxed and nothing reflected on in a call.
/// </summary>
internal static class ReferenceEmitter
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    private static readonly Lock Gate = new();
    private static readonly ConcurrentDictionary<Type, Func<ReferenceTarget, string, GrainReference>> Known = new();
    private static readonly HashSet<string> Opened = [];
    private static readonly AssemblyBuilder Assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Orleans.Embedded.References"), AssemblyBuilderAccess.Run);
    private static readonly ModuleBuilder Module = Assembly.DefineDynamicModule("References");
    private static readonly ConstructorInfo BaseConstructor = typeof(GrainReference).GetConstructor(Hidden, [typeof(ReferenceTarget), typeof(string)])!;
    private static int _number;

    /// <summary>Makes references of an interface; throws <see cref="NotSupportedException"/> naming a method that can't be called remotely.</summary>
    public static Func<ReferenceTarget, string, GrainReference> For(Type interfaceType)
    {
        if (Known.TryGetValue(interfaceType, out var known))
        {
            return known;
        }

        lock (Gate)
        {
            return Known.TryGetValue(interfaceType, out known) ? known : Known[interfaceType] = Emit(interfaceType);
        }
    }

    private static Func<ReferenceTarget, string, GrainReference> Emit(Type interfaceType)
    {
        if (!interfaceType.IsInterface || interfaceType.ContainsGenericParameters)
        {
            throw new NotSupportedException($"{interfaceType} is no closed grain interface.");
        }

        OpenAccess(typeof(GrainReference).Assembly);
        foreach (var part in interfaceType.GetInterfaces().Append(interfaceType))
        {
            OpenAccess(part.Assembly);
            foreach (var argument in part.GenericTypeArguments)
            {
                OpenAccess(argument.Assembly);
            }
        }

        var prefix = $"{interfaceType.Name}_{_number++}";
        var type = Module.DefineType($"{prefix}.Reference", TypeAttributes.Public | TypeAttributes.Sealed, typeof(GrainReference), [interfaceType]);
        var constructor = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(ReferenceTarget), typeof(string)]);
        var code = constructor.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Ldarg_2);
        code.Emit(OpCodes.Call, BaseConstructor);
        code.Emit(OpCodes.Ret);

        var number = 0;
        foreach (var part in interfaceType.GetInterfaces().Append(interfaceType))
        {
            foreach (var method in part.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            {
                if (!method.IsStatic)
                {
                    var request = RequestEmitter.Emit(Module, $"{prefix}.{method.Name}_{number++}", part, method);
                    EmitMethod(type, part, method, request);
                }
            }
        }

        var create = type.DefineMethod("Create", MethodAttributes.Public | MethodAttributes.Static, typeof(GrainReference), [typeof(ReferenceTarget), typeof(string)]);
        code = create.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Newobj, constructor);
        code.Emit(OpCodes.Ret);
        return type.CreateType().GetMethod("Create")!.CreateDelegate<Func<ReferenceTarget, string, GrainReference>>();
    }

    private static void EmitMethod(TypeBuilder type, Type part, MethodInfo method, RequestType request)
    {
        Type[] parameters = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];
        var implementation = type.DefineMethod(
            $"{part.FullName}.{method.Name}",
            MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.HideBySig | MethodAttributes.NewSlot,
            method.ReturnType,
            parameters);
        var code = implementation.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Newobj, request.Constructor);
        for (var i = 0; i < parameters.Length; i++)
        {
            code.Emit(OpCodes.Dup);
            code.Emit(OpCodes.Ldarg, (short)(i + 1));
            code.Emit(OpCodes.Stfld, request.Arguments[i]);
        }

        code.Emit(OpCodes.Ldsfld, request.Method);
        code.Emit(OpCodes.Call, request.Send);
        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(implementation, method);
    }

    /// <summary>Lets emitted code see what isn't public: interfaces and request bases.</summary>
    private static void OpenAccess(Assembly assembly)
    {
        var name = assembly.GetName().Name!;
        if (Opened.Add(name))
        {
            var constructor = typeof(System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
            Assembly.SetCustomAttribute(new CustomAttributeBuilder(constructor, [name]));
        }
    }
}
