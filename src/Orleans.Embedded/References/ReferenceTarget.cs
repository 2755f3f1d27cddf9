namespace Orleans.Runtime;

/// <summary>What all references of one interface to grains of one class share.</summary>
internal sealed class ReferenceTarget(GrainClass type, Type interfaceType, Func<ReferenceTarget, string, GrainReference> create)
{
    public GrainClass Type => type;

    public SiloRuntime Runtime => type.Runtime;

    public Type InterfaceType => interfaceType;

    public GrainReference Create(string key) => create(this, key);

    public void Send(string key, GrainRequest request)
    {
        if (type.IsObserver)
        {
            var observer = type.TryFind(key) ?? throw new ClientNotAvailableException(new GrainId(type.Name, new IdSpan(key)));
            observer.Accept(request);
        }
        else
        {
            type.Send(key, request);
        }
    }
}
