namespace Orleans
{
    using Orleans.Runtime;

    /// <summary>A grain interface; use one of those that say the kind of key.</summary>
    public interface IGrain : IAddressable;

    /// <summary>A grain whose key is text.</summary>
    public interface IGrainWithStringKey : IGrain;

    /// <summary>A grain whose key is a guid.</summary>
    public interface IGrainWithGuidKey : IGrain;

    /// <summary>A grain whose key is an integer.</summary>
    public interface IGrainWithIntegerKey : IGrain;

    /// <summary>A grain whose key is a guid and text.</summary>
    public interface IGrainWithGuidCompoundKey : IGrain;

    /// <summary>A grain whose key is an integer and text.</summary>
    public interface IGrainWithIntegerCompoundKey : IGrain;

    /// <summary>An interface through which grains notify objects outside grains.</summary>
    public interface IGrainObserver : IAddressable;
}

namespace Orleans.Runtime
{
    /// <summary>Something that can be called through a reference.</summary>
    public interface IAddressable;
}
